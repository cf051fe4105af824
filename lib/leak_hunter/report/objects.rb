# frozen_string_literal: true

module LeakHunter
  class Report
    # How many objects leaked, in a paragraph: the headline where nothing is known of holders.
    class Objects
      include LeftOut

      # @param result [Hash] of a diff
      def initialize(result)
        @result = result
        @totals = result[:totals]
      end

      # @return [String]
      def to_s
        [*(@totals[:count].zero? ? nothing : [found, share_of_heap, filtered]), Ledger.new(@result).to_s]
          .compact.join(" ")
      end

      private

      def nothing
        return "No leak found among the objects that pass the filters. #{filtered}" if filtered
        return "No leak found, but this is not certain: see which objects were left out." if withheld?

        return "No leak found among the objects that were sampled." if @result.dig(:evidence, :one_in)

        "No leak found: no object that was allocated between the first and the #{before_last} dump is still alive " \
          "in the #{last}. What grew without new objects, such as a String that is appended to, is not in this " \
          "answer, nor is memory that C extensions allocate."
      end

      def three? = @result[:dumps].size <= 3

      def before_last = three? ? "second" : "last but one"

      def last = three? ? "third" : "last"

      def found
        number = @totals[:count]
        number = @result.dig(:evidence, :one_in) ? "#{about(number)} objects" : counted(number, "object")
        what = "#{number} (#{bytes(@totals[:memsize])})"
        one = @totals[:count] == 1
        if @result[:identity] == "address"
          "#{what} #{one ? "is" : "are"} in the second and the third dump at an address that is free in the first."
        else
          "#{what} #{one ? "was" : "were"} allocated between the first and the #{before_last} dump and " \
            "#{one ? "is" : "are"} still alive in the #{last}."
        end
      end

      def share_of_heap
        heap = @totals[:third_memsize]
        return unless heap&.positive?

        "That is #{percent(@totals[:memsize], heap)} of the heap (#{bytes(heap)})."
      end
    end
  end
end
