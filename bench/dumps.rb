# frozen_string_literal: true

require "fileutils"
require "rbconfig"

# The dumps that benchmarks run on, made once and kept in tmp/bench.
module Dumps
  FOLDER = File.expand_path("../tmp/bench", __dir__)

  # @param megabytes [Integer] about the size of each
  # @return [Array<String>] three paths
  def self.of(megabytes)
    folder = File.join(FOLDER, "#{RUBY_VERSION}-#{megabytes}")
    paths = (1..3).map { |number| File.join(folder, "#{number}.json") }
    return paths if paths.all? { |path| File.exist?(path) }

    making = "#{folder}.#{Process.pid}"
    FileUtils.mkdir_p(making)
    system(RbConfig.ruby, File.join(__dir__, "make_dumps.rb"), megabytes.to_s, making, exception: true)
    FileUtils.rm_rf(folder)
    File.rename(making, folder)
    paths
  end
end
