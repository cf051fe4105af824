# frozen_string_literal: true

require "digest"
require "fileutils"
require "rbconfig"

# The dumps that benchmarks run on, made once for each Ruby and each version of the scripts that make them, and kept in
# LEAK_HUNTER_BENCH_DIR, outside the checkout.
module Dumps
  FOLDER = File.expand_path(ENV.fetch("LEAK_HUNTER_BENCH_DIR", "/var/tmp/leak_hunter-bench"))
  LIB = File.expand_path("../lib", __dir__)
  THREE = %w[1.json 2.json 3.json].freeze
  # What has a say in the dumps of the Rails application.
  RAILS = %w[make_rails_dumps.rb rails/config.ru rails/libraries.rb ../examples/leaky_app/server.rb
             ../examples/leaky_rails/lib/**/*.rb].freeze

  class << self
    # Of a heap that a script has made up.
    #
    # @param megabytes [Integer] about the size of each
    # @return [Array<String>] three paths
    def synthetic(megabytes) = make("diff-#{megabytes}", THREE, ["make_dumps.rb"], megabytes)

    # Of a Rails application that serves requests.
    #
    # @param objects [Integer] how many at least
    # @return [Array<String>] three paths
    def rails(objects) = make("rails-#{objects}", [*THREE, "since"], RAILS, objects).first(3)

    # @param objects [Integer] about how many
    # @return [Array<String>] a path, and the GC count from which on objects leaked
    def synthetic_graph(objects)
      path, since = make("graph-#{objects}", %w[heap.json since], ["make_graph_dump.rb"], objects)
      [path, File.read(since)]
    end

    # @param objects [Integer] how many at least
    # @return [Array<String>] a path, and the GC count from which on objects leaked
    def rails_graph(objects)
      path = rails(objects).last
      [path, File.read(File.join(File.dirname(path), "since"))]
    end

    private

    # A folder is renamed when it is whole, so that what is there is whole.
    def make(name, files, scripts, size)
      folder = File.join(own_folder, "#{RUBY_VERSION}-#{name}-#{key(scripts)}")
      paths = files.map { |file| File.join(folder, file) }
      return paths if paths.all? { |path| File.exist?(path) }

      making = "#{folder}.#{Process.pid}"
      FileUtils.mkdir_p(making)
      script = File.join(__dir__, scripts.first)
      system(RbConfig.ruby, "-I", LIB, script, size.to_s, making, exception: true)
      FileUtils.rm_rf(folder)
      File.rename(making, folder)
      paths
    ensure
      FileUtils.rm_rf(making) if making
    end

    # Dumps hold all strings of a process, and what others put into a folder of theirs is not measured.
    def own_folder
      FileUtils.mkdir_p(FOLDER, mode: 0o700)
      raise "#{FOLDER} belongs to somebody else; name another in LEAK_HUNTER_BENCH_DIR" unless File.owned?(FOLDER)

      FOLDER
    end

    def key(scripts)
      files = scripts.flat_map { |script| Dir[File.join(__dir__, script)] }
      Digest::SHA256.hexdigest(files.map { |file| File.read(file) }.join("\0"))[0, 8]
    end
  end
end
