# frozen_string_literal: true

module LeakHunter
  module Gems
    # What a Gemfile says of its gems beyond their names: groups, and whether they are required.
    class Manifest
      # Groups whose gems need not be loaded where an application serves.
      OTHERS = %i[development test lint ci doc docs].freeze
      private_constant :OTHERS

      class << self
        # As Bundler has it in memory, if it has loaded the Gemfile of this lock file. Nothing is evaluated.
        #
        # @param lock [Project::Lockfile]
        # @return [Manifest]
        def loaded(lock)
          return new([]) unless defined?(Bundler) && lock.path && ENV.key?("BUNDLE_GEMFILE")

          same = File.expand_path(lock.path) == File.expand_path(Bundler.default_lockfile.to_s)
          new(same ? Bundler.load.dependencies : [])
        rescue StandardError
          new([]) # it is Bundler's, and has its own reasons
        end

        # Evaluates the Gemfile of a lock file; see {evaluate}.
        #
        # @param lock [String] its path
        # @return [Manifest] one that says nothing where there is no Gemfile
        def of_lock(lock)
          gemfile = lock.sub(/\.lock\z/, "").sub(/gems\.locked\z/, "gems.rb")
          File.file?(gemfile) ? evaluate(gemfile) : new([])
        end

        # Evaluates a Gemfile, which is Ruby code: for commands of their own, never in an application's process.
        #
        # @param gemfile [String]
        # @return [Manifest]
        def evaluate(gemfile)
          require "bundler"
          Dir.chdir(File.dirname(gemfile)) do
            Bundler.ui.silence { new(Bundler::Dsl.evaluate(gemfile, "#{gemfile}.lock", {}).dependencies) }
          end
        rescue StandardError, ScriptError
          new([])
        end
      end

      # @param dependencies [Array<Bundler::Dependency>]
      def initialize(dependencies)
        @dependencies = dependencies.to_h { |dependency| [dependency.name, dependency] }
      end

      # @return [Array<String>, nil] nil where that is not known
      def groups(name) = @dependencies[name]&.groups&.map(&:to_s)

      # @return [Boolean] whether its groups are of development and tests alone
      def other_environment?(name)
        groups = @dependencies[name]&.groups or return false
        groups.any? && (groups - OTHERS).empty?
      end

      # @return [Boolean] whether `Bundler.require` leaves it out (`require: false`)
      def not_required?(name)
        dependency = @dependencies[name] or return false
        dependency.autorequire == []
      end
    end
  end
end
