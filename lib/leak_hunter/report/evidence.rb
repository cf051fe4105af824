# frozen_string_literal: true

module LeakHunter
  class Report
    # Says in plain sentences how sure the result is and what it cannot know.
    class Evidence
      include Format

      NOT_CERTAIN = {
        "mostly_untraced" => "This is not certain: most of these objects are untraced.",
        "tracing_lost" => "This is not certain: more had to be left out than is shown.",
        "compaction" => "This is not certain: more had to be left out than is shown.",
        "tracing_unreliable" => "This is not certain: where objects moved, Ruby before 3.4 forgets or mixes up " \
                                "where and when they were made."
      }.freeze

      def initialize(result)
        @result = result
        @evidence = result[:evidence]
        @withheld = @evidence[:withheld] || {}
      end

      # @return [String] one paragraph
      def to_s
        printable([verdict, untraced, slots, compaction, withheld, skipped, process].compact.join(" "))
      end

      private

      def verdict
        case @evidence[:identity]
        when "address"
          "Compared by address alone, as the classic script does: wrong wherever a slot was reused or an object moved."
        when "address+class"
          "Not certain: nothing was traced, so objects could only be told apart by address and class."
        else by_generation
        end
      end

      def by_generation
        return NOT_CERTAIN["tracing_lost"] if @withheld.values.sum > @result[:totals][:count]
        return NOT_CERTAIN.fetch(@evidence[:reasons].first, "This is not certain.") if @evidence[:confidence] == "low"

        if @evidence[:confidence] == "exact"
          "This is exact: objects were told apart by when they were born, not by their address."
        else
          "This is nearly certain: objects were told apart by when they were born, where that is known."
        end
      end

      def untraced
        untraced = @evidence[:untraced].to_i
        return if untraced.zero? || @evidence[:identity].start_with?("address")

        all = untraced + @evidence[:traced].to_i
        text = "#{count(untraced)} of #{counted(all, "record")} #{were(untraced)} untraced"
        return "#{text}." if @result[:totals][:count].zero?

        survivors = @evidence.dig(:survivors, :untraced).to_i
        return "#{text}; none of them is among these." if survivors.zero?

        "#{text}; #{count(survivors)} of them #{are(survivors)} among these, told apart by address and class."
      end

      def slots
        slots = @evidence[:slots_reused].to_i
        return if slots.zero? || @evidence[:identity] == "address"

        if slots == 1
          "One object sits in a reused slot; a diff by address alone misses it."
        else
          "#{count(slots)} objects sit in reused slots; a diff by address alone misses them."
        end
      end

      def compaction
        compaction = @evidence[:compaction] || {}
        pairs = { first_to_second: "the first and the second", second_to_third: "the second and the third" }
        pairs = pairs.filter_map { |key, words| words if compaction[key] }
        return if pairs.empty?

        seems = compaction[:source] == "inferred" ? ", it seems" : ""
        harmless = @withheld.values.sum.zero? && @evidence.values_at(:identity, :confidence) == %w[generation exact]
        mind = harmless ? "; this comparison does not mind" : ""
        "The heap was compacted between #{pairs.join(" dump, and between ")} dump#{seems}#{mind}."
      end

      def withheld
        parts = {
          untraced_moved: "untraced, and may only have moved",
          tracing_lost: "without the record of their birth (tracing was stopped, or compaction dropped it)",
          boundary: "born in the very garbage collection of a dump, and may only have moved"
        }.filter_map { |key, words| "#{count(@withheld[key])} #{words}" if @withheld[key].to_i.positive? }
        return if parts.empty?

        "Left out, because nothing can tell whether they are new: #{parts.join("; ")}."
      end

      def skipped
        lines = @evidence[:skipped_lines].to_i
        return if lines.zero?

        "#{counted(lines, "line")} could not be read and #{were(lines)} skipped."
      end

      def process
        return if @evidence[:identity] == "address" # which does not ask

        "The dumps do not say which process they are of." if @evidence[:same_process] == "unknown"
      end

      def were(number) = number == 1 ? "was" : "were"

      def are(number) = number == 1 ? "is" : "are"
    end
  end
end
