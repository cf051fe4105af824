# frozen_string_literal: true

require "fileutils"
require "open3"
require "rbconfig"

# Runs Ruby code in a process of its own, with a heap of its own.
module RubyProcess
  LIB = File.expand_path("../../lib", __dir__)
  # An option of Ruby: dumps have all names, however little processor time they get.
  ALL_NAMES = "-r#{File.expand_path("../fixtures/all_names.rb", __dir__)}".freeze

  # @param lib [String] where LeakHunter is
  # @return [String] what it printed
  def run_ruby(code, *arguments, env: {}, options: [], lib: LIB)
    output, errors, status = Open3.capture3(env, RbConfig.ruby, "-w", *options, "-I#{lib}", "-rleak_hunter", "-e", code,
                                            *arguments)
    raise "#{status}\n#{errors}\n#{output}" unless status.success?
    raise "warnings:\n#{errors}" unless errors.empty?

    output
  end

  # Ruby 3.1 itself ends with "[BUG] try to mark T_NONE object" in one of a hundred runs in which GC.auto_compact is on
  # (spec/integration/accuracy_spec.rb says why). Such a run says nothing, and is run again.
  def despite_known_bug(runs = 3)
    yield
  rescue RuntimeError => e
    raise unless RUBY_VERSION < "3.2" && e.message.include?("try to mark T_NONE object") && (runs -= 1).positive?

    retry
  end

  # @return [String] where LeakHunter is, without the extension
  def lib_without_extension(folder)
    lib = File.join(folder, "lib")
    FileUtils.cp_r(LIB, lib)
    FileUtils.rm(Dir.glob("#{lib}/leak_hunter/**/leak_hunter.{so,bundle}"))
    lib
  end
end

RSpec.configure { |config| config.include RubyProcess }
