# frozen_string_literal: true

module LeakHunter
  class Report
    # How reliable a result is, in one paragraph: how objects were matched, and what had to be left out.
    class Evidence
      include Format

      NOT_CERTAIN = {
        "mostly_untraced" => "This is not certain: most of these objects were not traced.",
        "tracing_lost" => "This is not certain: more objects had to be left out than are shown.",
        "compaction" => "This is not certain: more objects had to be left out than are shown.",
        "samples_lost" => "This is not certain: sampled objects were given up, so the numbers are too low.",
        "tracing_unreliable" => "This is not certain: objects moved, and Ruby before 3.4 loses or confuses the " \
                                "allocation data of objects that move."
      }.freeze

      MIXED = "Some moments were sampled and others not: what was allocated while another tracer was on is not known."

      # Of so many times the objects that one stands for, none is known with a probability of 1 %.
      SEEN = Math.log(100)
      private_constant :MIXED, :SEEN

      PAIRS = { first_to_second: "the first and the second", second_to_third: "the second and the third" }.freeze
      PAIRS_OF_MANY = { first_to_second: "the first and the last but one",
                        second_to_third: "the last but one and the last" }.freeze

      def initialize(result)
        @result = result
        @evidence = result[:evidence]
        @withheld = @evidence[:withheld] || {}
      end

      # @return [String] one paragraph
      def to_s
        parts = [certainty, sampled, untraced, remedy, slots, compaction, withheld, skipped, process, names, unmeasured]
        printable(parts.compact.join(" "))
      end

      # @return [Boolean] whether the headline of a report with holders says it all
      def said? = @result[:holders] && exact? && names.nil? && unmeasured.nil?

      private

      def certainty
        case @evidence[:identity]
        when "address"
          "Objects are matched by address only, like the classic script does: wrong where a slot was reused or an " \
          "object moved."
        when "address+class"
          "This is not certain: nothing was traced, so objects are matched by address and class."
        else by_generation
        end
      end

      def by_generation
        return NOT_CERTAIN["tracing_lost"] if @withheld.values.sum > @result[:totals][:count]
        return NOT_CERTAIN.fetch(@evidence[:reasons].first, "This is not certain.") if @evidence[:confidence] == "low"
        return "This is exact: objects are matched by allocation generation, not by address." if exact?
        return "Which objects these are is exact: their allocation generation says so." if only_sampled?

        "This is almost certain: objects are matched by allocation generation where it is known."
      end

      def exact? = @evidence[:confidence] == "exact"

      def only_sampled? = @evidence[:reasons] == ["sampled"]

      def sampled? = !@evidence[:one_in].nil?

      # What the numbers are estimated from, and what may not be seen: with a probability of 99 % one of so many is.
      def sampled
        return MIXED if @evidence[:reasons].to_a.include?("mixed_tracers") && !sampled?
        return unless sampled?

        one_in = @evidence[:one_in]
        traced = @evidence[:traced].to_i
        all = traced + @evidence[:untraced].to_i
        text = "Numbers are estimates: one allocation in #{count(one_in.round)} was remembered#{larger}, and so " \
               "#{count(traced)} of #{counted(all, "object")} #{are(traced)} known."
        text << " Of a leak of fewer than #{count((SEEN * one_in).ceil)} objects none may be among them." if one_in > 1
        @evidence[:reasons].to_a.include?("mixed_tracers") ? "#{text} #{MIXED}" : text
      end

      def larger = @evidence[:sampled_by] == "bytes" ? " on average, of large ones more" : ""

      # Where the answer is exact, objects that were not traced do not matter.
      def untraced
        untraced = @evidence[:untraced].to_i
        return if untraced.zero? || sampled? || exact? || @evidence[:identity].start_with?("address")

        all = untraced + @evidence[:traced].to_i
        text = "#{count(untraced)} of #{counted(all, "object")} #{were(untraced)} not traced"
        survivors = @evidence.dig(:survivors, :untraced).to_i
        return "#{text}." if survivors.zero? || @result[:totals][:count].zero?

        "#{text}; #{count(survivors)} of them #{are(survivors)} in this result, matched by address and class."
      end

      # Dumps of ObjectSpace alone know neither where objects were allocated nor when.
      def remedy
        return if @evidence[:identity] == "address" || exact?
        return unless @result[:dumps].any? { |dump| dump[:recorded].nil? && dump[:traced].to_i.zero? }

        "Use LeakHunter.dump! instead of ObjectSpace.dump_all: it traces allocations, and the answer is exact."
      end

      def slots
        slots = @evidence[:slots_reused].to_i
        return if slots.zero? || @evidence[:identity] == "address"

        "#{counted(slots, "object")} #{are(slots)} in reused slots, where a diff by address misses " \
          "#{slots == 1 ? "it" : "them"}."
      end

      def compaction
        compaction = @evidence[:compaction] || {}
        pairs = @result[:dumps].size > 3 ? PAIRS_OF_MANY : PAIRS
        pairs = pairs.filter_map { |key, words| words if compaction[key] }
        return if pairs.empty?

        compacted = compaction[:source] == "inferred" ? "was apparently compacted" : "was compacted"
        harmless = @withheld.values.sum.zero? && @evidence.values_at(:identity, :confidence) == %w[generation exact]
        note = harmless ? "; this does not affect the result" : ""
        "The heap #{compacted} between #{pairs.join(" dump, and between ")} dump#{note}."
      end

      def withheld
        parts = {
          untraced_moved: "not traced, and possibly only moved",
          tracing_lost: "without allocation data (tracing was stopped, or compaction dropped it)",
          boundary: "allocated during the garbage collection of a dump, and possibly only moved"
        }.filter_map { |key, words| "#{count(@withheld[key])} #{words}" if @withheld[key].to_i.positive? }
        return if parts.empty?

        "Left out, because they may not be new: #{parts.join("; ")}."
      end

      def skipped
        lines = @evidence[:skipped_lines].to_i
        return if lines.zero?

        "#{counted(lines, "line")} of the dumps could not be read and #{were(lines)} skipped."
      end

      def process
        return if @evidence[:identity] == "address" # which does not ask

        "The dumps do not say which process they are from." if @evidence[:same_process] == "unknown"
      end

      # The paths of holders are named by the last dump.
      def names
        return unless @result[:holders] && @result[:dumps].last.dig(:recorded, :names_complete) == false

        "The time for reading names of constants and variables was over before all were read: some paths of the last " \
          "dump are not named, and fingerprints of their holders may differ from those of other runs."
      end

      def unmeasured
        structs = @result[:dumps].flat_map { |dump| dump.dig(:recorded, :unmeasured).to_a }.uniq
        "In this result #{Unmeasured.words(structs)}." unless structs.empty?
      end

      def were(number) = number == 1 ? "was" : "were"

      def are(number) = number == 1 ? "is" : "are"
    end
  end
end
