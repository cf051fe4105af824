# frozen_string_literal: true

require "fileutils"
require "rbconfig"

# The dumps that benchmarks run on, made once and kept in tmp/bench.
module Dumps
  FOLDER = File.expand_path("../tmp/bench", __dir__)

  # @param megabytes [Integer] about the size of each
  # @return [Array<String>] three paths
  def self.of(megabytes)
    make("#{RUBY_VERSION}-#{megabytes}", %w[1.json 2.json 3.json], "make_dumps.rb", megabytes)
  end

  # @param objects [Integer] about how many
  # @return [Array<String>] a path, and the GC count from which on objects leaked
  def self.graph_of(objects)
    path, since = make("#{RUBY_VERSION}-graph-#{objects}", %w[heap.json since], "make_graph_dump.rb", objects)
    [path, File.read(since)]
  end

  def self.make(name, files, script, size)
    folder = File.join(FOLDER, name)
    paths = files.map { |file| File.join(folder, file) }
    return paths if paths.all? { |path| File.exist?(path) }

    making = "#{folder}.#{Process.pid}"
    FileUtils.mkdir_p(making)
    system(RbConfig.ruby, File.join(__dir__, script), size.to_s, making, exception: true)
    FileUtils.rm_rf(folder)
    File.rename(making, folder)
    paths
  end
  private_class_method :make
end
