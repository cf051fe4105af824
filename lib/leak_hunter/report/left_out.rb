# frozen_string_literal: true

module LeakHunter
  class Report
    # What is not in the answer: objects that the filters left out, and those whose identity could not be told.
    module LeftOut
      include Format

      private

      def withheld? = @result.dig(:evidence, :withheld).to_h.values.any?(&:positive?)

      # @return [String, nil] a sentence
      def filtered
        count, size = @result[:totals].values_at(:filtered_count, :filtered_memsize)
        "The filters left out #{counted(count, "object")} (#{bytes(size)})." if count.to_i.positive?
      end
    end
  end
end
