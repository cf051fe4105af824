# frozen_string_literal: true

require "leak_hunter/core_methods"

module LeakHunter
  module EdgeNames
    # How long searches may take: in processor time, so that busy threads beside do not use it up, and in steps.
    class Limit
      # Seconds, and steps, of one search.
      SECONDS = 0.05
      STEPS = 2_000_000
      # Steps between two looks at the clock.
      STRIDE = 512

      private_constant :STRIDE

      def initialize(seconds: SECONDS, steps: STEPS)
        @deadline = CoreMethods.processor_time + seconds
        @left = steps
        @until_look = STRIDE
      end

      # @return [Object, nil] of the block, or nil when the limit was reached
      def within(&) = catch(self, &)

      # Counts steps, and ends {within} when there were too many or they took too long.
      #
      # @return [void]
      def step(count = 1)
        @left -= count
        @until_look -= count
        throw(self, nil) if @left.negative? || (@until_look.negative? && late?)
      end

      private

      def late?
        @until_look = STRIDE
        CoreMethods.processor_time > @deadline
      end
    end
  end
end
