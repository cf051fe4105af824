# frozen_string_literal: true

module LeakHunter
  class Checkup
    # Three moments of this process around a block of work, without a file.
    module Hunt
      # @return [Array] two marks and the heap after them
      def self.call(&)
        yield # caches fill
        marks = Array.new(2) { LeakHunter.mark.tap(&) }
        [*marks, Heap.live]
      end
    end
  end
end
