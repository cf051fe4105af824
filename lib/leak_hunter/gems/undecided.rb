# frozen_string_literal: true

module LeakHunter
  module Gems
    # Why nothing can be said of a gem.
    class Undecided
      REASONS = {
        missing: "the lock file has no such gem for this platform",
        folder: "it is in a folder of its own, whose code cannot be told from the application's",
        nothing: "there is neither a heap that says enough nor a file of the application's",
        no_root: "the heap has no code of the application's own, and no file names a gem",
        tool: "it is a tool of development, tests or deployment, which need not be loaded here",
        server: "it is a server, and is not loaded here"
      }.freeze
      private_constant :REASONS

      # @param lock [Project::Lockfile]
      # @param uses [HeapUse, nil]
      # @param sources [Sources, nil]
      # @param manifest [Manifest]
      def initialize(lock, uses, sources, manifest)
        @lock = lock
        @uses = uses
        @sources = sources
        @manifest = manifest
      end

      # @return [String, nil]
      def because(name)
        REASONS[reason(name)] || other_environment(name) || side_effect(name)
      end

      private

      def reason(name)
        loaded = @uses&.loaded?(name)
        if @lock[name].nil? then :missing
        elsif @lock[name].source == "path" && !loaded then :folder
        elsif @uses.nil? && @sources.nil? then :nothing
        elsif @uses && !@uses.rooted? then :no_root
        elsif KnownGems.server?(name) then :server
        elsif KnownGems.tool?(name) && !loaded then :tool
        end
      end

      def other_environment(name)
        return unless @manifest.other_environment?(name)

        "it is in the group #{@manifest.groups(name).join(", ")} alone, and need not be used here"
      end

      # Without a heap nothing shows what it does.
      def side_effect(name)
        why = KnownGems.side_effect(name) unless @uses
        "no file names it, which says nothing: #{why}" if why
      end
    end
  end
end
