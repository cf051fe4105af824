# frozen_string_literal: true

module LeakHunter
  class Report
    # The first lines: how many leaks there are, how fast they grow, and of what process that is said.
    class Headline
      include LeftOut

      # What is not known then cannot be told from what is not there.
      MOVED = "objects moved (GC.compact), and Ruby before 3.4 forgets when and where those were allocated"

      # @param result [Hash] of a diff with holders
      def initialize(result)
        @result = result
        @totals = result[:totals]
        @findings = Findings.new(result)
        @moments = Moments.new(result)
      end

      # @return [String] a paragraph
      def to_s = printable([answer, rest, more].compact.join(" "))

      # @return [String] a paragraph
      def facts
        printable(["#{sentence(@moments.to_s)}#{heap}.", "Certainty: #{certainty}.",
                   filtered, Ledger.new(@result).to_s].compact.join(" "))
      end

      private

      def answer
        leaks = @findings.growing.size
        return "#{counted(leaks, "leak")}, growing #{rate}." if leaks.positive?
        return nothing if @findings.inconclusive.empty?

        possible = @findings.inconclusive.size
        settle = "One more dump would tell." if @result.dig(:verdict, :another_moment_settles)
        ["No leak proven: #{counted(possible, "holder")} may be growing.", settle].compact.join(" ")
      end

      def rate
        bytes = @findings.grown_by
        seconds = @moments.seconds
        return "#{bytes(bytes)} between the first and the last dump" unless seconds

        "#{bytes((bytes * 60 / seconds).round)}/min"
      end

      def nothing
        return "No leak found, but this is not known: #{MOVED}." if moved?
        return "No leak found, but this is not certain: see which objects were left out." if withheld?
        return "No leak found, but this is not certain: the last dump lacks objects." if undecided?
        return "No leak found among the objects that pass the filters." if filtered
        return "No leak found among the objects that were sampled." if sampled?

        "No leak found."
      end

      # Nothing seems to grow, and still the diff does not say that nothing does.
      def undecided? = @result.dig(:verdict, :name) == "undecided"

      def moved? = @result.dig(:evidence, :reasons).to_a.include?("tracing_unreliable")

      def more = (@findings.first.any? && moved? ? "There may be more: #{MOVED}." : nil)

      # What did stay.
      def rest
        others = @findings.others.size
        return "#{counted(others, "other holder")} #{others == 1 ? "does" : "do"} not grow." if
          others.positive? && @findings.growing.any?
        return if others.positive? || @findings.first.any? || moved?

        "Nothing that was allocated between the first and the last but one dump is still held, but for " \
          "#{counted(@totals[:cache_count].to_i, "VM inline cache")}."
      end

      def sentence(text) = text ? "#{text}. " : ""

      def heap
        memory = @result[:dumps].last.dig(:recorded, :memory)
        parts = ["Ruby heap #{bytes(@totals[:third_memsize])}"]
        parts << "RSS #{bytes(memory[:rss])}" if memory&.dig(:rss)
        parts.join(", ")
      end

      def sampled? = !@result.dig(:evidence, :one_in).nil?

      def certainty
        return "estimated, from one object in #{count(@result.dig(:evidence, :one_in).round)}" if sampled?

        { "exact" => "exact", "high" => "almost certain" }.fetch(@result.dig(:evidence, :confidence), "low")
      end
    end
  end
end
