# frozen_string_literal: true

require "leak_hunter/errors"
require "leak_hunter/printable"
require "leak_hunter/project"

module LeakHunter
  module Project
    # The gems of a project: of its Gemfile.lock, or those that are loaded in this process.
    #
    #   lock = LeakHunter::Project::Lockfile.read("Gemfile.lock")
    #   lock["rack"].version                # => Gem::Version.new("2.2.22")
    #   lock.leaves_with("sinatra")         # => ["mustermann", "rack-protection", …]
    class Lockfile
      NAMES = %w[Gemfile.lock gems.locked].freeze
      # Of a file that is no lock file, no more than this is read.
      LIMIT = 16 * 1024 * 1024
      private_constant :LIMIT

      class << self
        # @param path [String]
        # @return [Lockfile]
        # @raise [LockfileError]
        def read(path)
          parse(content(path), path:)
        end

        # @param text [String]
        # @param path [String] for messages
        # @return [Lockfile]
        # @raise [LockfileError]
        def parse(text, path: "Gemfile.lock")
          LockfileReader.new(text, path).call
        end

        # The lock file of the project that a folder is in, found as Bundler finds it.
        #
        # @return [String, nil]
        def find(dir = Dir.pwd)
          gemfile = ENV.fetch("BUNDLE_GEMFILE", "")
          return lock_of(gemfile) unless gemfile.empty? || !File.file?(lock_of(gemfile))

          folder = File.expand_path(dir)
          loop do
            found = NAMES.map { |name| File.join(folder, name) }.find { |path| File.file?(path) }
            parent = File.dirname(folder)
            return found if found || parent == folder

            folder = parent
          end
        end

        # @return [Lockfile, nil] of the project that a folder is in; nil where it has none
        # @raise [LockfileError]
        def of(dir)
          path = find(dir)
          read(path) if path
        end

        # What is loaded in this process, whether or not a lock file says so.
        #
        # @return [Lockfile]
        def loaded = LoadedGems.call

        private

        # gems.rb has gems.locked, any other Gemfile its own name with ".lock".
        def lock_of(gemfile)
          File.basename(gemfile) == "gems.rb" ? File.join(File.dirname(gemfile), "gems.locked") : "#{gemfile}.lock"
        end

        def content(path)
          text = File.open(path, "rb") { |file| file.read(LIMIT + 1) }.to_s
          return text if text.bytesize <= LIMIT

          raise LockfileError, "#{Printable.call(path)} has more than #{LIMIT / 1024 / 1024} MB, and is no lock file"
        rescue SystemCallError => e
          raise LockfileError, "#{Printable.call(path)} cannot be read: #{SystemCallError.new(nil, e.errno).message}"
        end
      end

      # @return [String, nil] nil for what is loaded in this process
      attr_reader :path
      # @return [Array<GemVersion>] in the order of the file; a gem for several platforms has one for each
      attr_reader :specs
      # @return [Array<String>] names of the gems that the Gemfile names
      attr_reader :declared
      # @return [Gem::Version, nil] of Ruby, where it is known
      attr_reader :ruby_version
      # @return [String, nil] "ruby", "jruby", …, where the version is known
      attr_reader :engine

      def initialize(specs:, declared:, path: nil, ruby_version: nil, engine: nil)
        @path = path
        @specs = specs.freeze
        @declared = declared.uniq.freeze
        @ruby_version = ruby_version
        @engine = engine
        @by_name = specs.group_by(&:name)
      end

      # @return [GemVersion, nil]
      def [](name) = @by_name[name]&.first

      # @return [Array<String>]
      def names = @by_name.keys

      # @return [Array<String>] names of the gems that a gem needs itself
      def dependencies(name) = @by_name.fetch(name, []).flat_map(&:dependencies).uniq

      # All gems that one needs, those that these need included; whether the file has them or not.
      #
      # @return [Hash{String => true}] by name
      def needed_by(name) = (@needed ||= {})[name] ||= closure(dependencies(name))

      # What the project would no longer have without these gems in its Gemfile: they themselves, unless others need
      # them, and what they alone needed.
      #
      # @param names [Array<String>]
      # @return [Array<String>] sorted
      def leaves_with(*names)
        (reachable(declared) - reachable(declared - names)).sort
      end

      private

      def reachable(roots) = closure(roots).keys.select { |name| @by_name.key?(name) }

      def closure(names)
        seen = {}
        open = names.dup
        while (name = open.pop)
          next if seen[name]

          seen[name] = true
          open.concat(dependencies(name))
        end
        seen
      end
    end
  end
end
