# frozen_string_literal: true

module LeakHunter
  module Gems
    # What a heap says of the gems, with the names of the lock file: who uses whom, and what of that the application set
    # off.
    class HeapUse
      APP = "app"
      # Owners that say nothing of a gem's use: what Ruby's own libraries call was handed to them by somebody.
      SILENT = %w[ruby unknown].freeze
      # With fewer pieces of code with a path, or fewer constants that were read, a heap says nothing.
      LEAST_CODE = 20
      LEAST_CONSTANTS = 3
      # By what a use is explained best.
      ORDER = %w[call receiver constant inherits includes extends holds].freeze
      private_constant :LEAST_CODE, :LEAST_CONSTANTS, :ORDER

      # Folders of this process' gems, where the name of the folder does not say the gem's: those of Git and paths.
      #
      # @return [Hash{String => String}] names of gems by folder
      def self.owners
        Gem.loaded_specs.values.each_with_object({}) do |spec, owners|
          path = spec.full_gem_path
          owners[path] = spec.name unless path.match?(%r{/gems/#{Regexp.escape(spec.full_name)}\z})
        end
      end

      # @return [Hash{Symbol => Integer}] what there is to judge by
      attr_reader :evidence

      # @param uses [Hash] of Native::Heap#gem_uses
      # @param lock [Project::Lockfile]
      def initialize(uses, lock)
        @lock = lock
        @evidence = uses.fetch(:evidence)
        @gems = renamed(uses.fetch(:gems))
        reach
      end

      # Finds what is used, from the application's code on.
      #
      # @param named [Array<String>] gems that the application's files name
      def reach(named = [])
        @reached = {}
        [APP, *named].each { |name| reach_from(name) unless @reached.key?(name) }
      end

      # @return [Boolean] whether the application's own code is there, and does anything with a gem
      def rooted? = @reached.size > 1

      # @return [Boolean] whether there is enough to judge by
      def conclusive? = @evidence[:with_path] >= LEAST_CODE && @evidence[:constants] >= LEAST_CONSTANTS

      # @return [Hash, nil] what the heap says of a gem
      def [](name) = @gems[name]

      # @return [Boolean] whether any of its code, or a class of it, is there
      def loaded?(name)
        gem = self[name] or return false
        (gem.dig(:code, :count) + gem.dig(:classes, :count)).positive?
      end

      # @return [Boolean] whether the application reaches it, itself or through gems that it uses
      def used?(name) = @reached.key?(name)

      # @return [Hash, nil] the use by which it was reached; nil of what files name
      def use_of(name) = @reached[name]

      # Uses by gems that it has itself told of it, such as a framework into which it hooks: no sign that the
      # application wants it.
      #
      # @return [Array<String>] their names
      def hooked_into(name)
        gem = self[name] or return []
        gem[:uses].map { |use| use[:user] }.uniq.select { |user| @reached.key?(user) && calls_back?(user, name) }
      end

      # @return [Integer] bytes of its code, classes and the Strings of both
      def bytes(name)
        gem = self[name] or return 0
        %i[code classes strings].sum { |part| gem.dig(part, :memsize) }
      end

      private

      # Debian has some gems in one folder, by the names of their files.
      def renamed(gems)
        by_letters = @lock.names.to_h { |name| [name.delete("-_"), name] }
        gems.each_with_object({}) do |(name, gem), all|
          known = @lock[name] ? name : by_letters.fetch(name.delete("-_"), name)
          all[known] = gem unless all.key?(known) && name != known
        end
      end

      def reach_from(name)
        @reached[name] = nil
        open = [name]
        while (user = open.shift)
          uses_by(user).each do |used, use|
            next if @reached.key?(used) || (user != APP && calls_back?(user, used))

            @reached[used] = use
            open << used
          end
        end
      end

      # @return [Array(String, Hash)] of each gem that it uses, what explains it best first
      def uses_by(user)
        @uses_by ||= uses_by_user.transform_values do |uses|
          uses.sort_by { |name, use| [name, ORDER.index(use[:kind])] }
        end
        @uses_by.fetch(user, [])
      end

      def uses_by_user
        @gems.each_with_object({}) do |(name, gem), by_user|
          gem[:uses].each do |use|
            (by_user[use[:user]] ||= []) << [name, use] unless SILENT.include?(use[:user])
          end
        end
      end

      # Whether `user` was told of the gem by the gem itself. It was not where it needs the gem.
      def calls_back?(user, name)
        return false if needs?(user, name)

        needs?(name, user) || @gems.dig(user, :uses)&.any? { |use| use[:user] == name }
      end

      def needs?(name, other) = @lock.needed_by(name).key?(other)
    end
  end
end
