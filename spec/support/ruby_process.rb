# frozen_string_literal: true

require "open3"
require "rbconfig"

# Runs Ruby code in a process of its own, with a heap of its own.
module RubyProcess
  LIB = File.expand_path("../../lib", __dir__)

  # @return [String] what it printed
  def run_ruby(code, *arguments, env: {}, options: [])
    output, errors, status = Open3.capture3(env, RbConfig.ruby, "-w", *options, "-I#{LIB}", "-rleak_hunter", "-e", code,
                                            *arguments)
    raise "#{status}\n#{errors}\n#{output}" unless status.success?
    raise "warnings:\n#{errors}" unless errors.empty?

    output
  end
end

RSpec.configure { |config| config.include RubyProcess }
