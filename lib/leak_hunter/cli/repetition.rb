# frozen_string_literal: true

module LeakHunter
  class CLI
    # Finds repetitions in a path: a linked list is one step again and again, a chain of wrapped procs a few.
    module Repetition
      # Steps of a cycle at most.
      MAX_PERIOD = 4

      module_function

      # Cuts a list into parts, each a cycle and how often it comes, once as a rule.
      #
      # @param list [Array]
      # @yieldparam element what is compared
      # @return [Array<Array(Integer, Integer, Integer)>] index, length of the cycle, repetitions
      def parts(list, &)
        keys = list.map(&)
        parts = []
        index = 0
        while index < keys.size
          period, times = cycle(keys, index)
          parts << [index, period, times]
          index += period * times
        end
        parts
      end

      # The one that covers most.
      def cycle(keys, index)
        candidates = (1..MAX_PERIOD).map { |period| [period, times(keys, index, period)] }
        candidates.reject { |_, times| times < 2 }.max_by { |period, times| [period * times, -period] } || [1, 1]
      end

      def times(keys, index, period)
        stop = index + period
        stop += 1 while stop < keys.size && keys[stop] == keys[stop - period]
        (stop - index) / period
      end
    end
  end
end
