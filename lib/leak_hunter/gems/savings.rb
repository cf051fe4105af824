# frozen_string_literal: true

module LeakHunter
  module Gems
    # What would leave with a gem: itself and the gems that it alone needs, with their code, classes and Strings.
    class Savings
      PARTS = %i[code classes strings].freeze
      private_constant :PARTS

      # @param lock [Project::Lockfile]
      # @param uses [HeapUse, nil]
      def initialize(lock, uses)
        @lock = lock
        @uses = uses
      end

      # @param names [Array<String>]
      # @return [Hash{Symbol => Object}] `:gems` that leave too, and, of a heap, `:code`, `:classes`, `:strings` and
      #   `:bytes` in all
      def of(*names)
        leaving = @lock.leaves_with(*names)
        saved = { gems: leaving - names }
        return saved unless @uses

        parts = PARTS.to_h { |part| [part, leaving.sum { |name| @uses[name]&.dig(part, :memsize) || 0 }] }
        { **saved, **parts, bytes: parts.values.sum }
      end
    end
  end
end
