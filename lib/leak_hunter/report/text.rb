# frozen_string_literal: true

module LeakHunter
  class Report
    # The report for people. With holders: what grows, what holds it, and what to do. Without: what leaked in a
    # sentence, and where it was allocated.
    class Text
      include Format

      WIDTHS = (Terminal::MIN_WIDTH..100_000)

      def initialize(result, color:, width:, top:, holders:, sites:)
        Arguments.integer(:top, top, Diff::Options::TOP, optional: true)
        Arguments.integer(:holders, holders, Diff::Options::TOP, optional: true)
        @result = result
        @style = Terminal::Style.new(color)
        @width = width
        @top = top
        @holders = holders
        @sites = sites.nil? ? result[:holders].nil? : sites
      end

      def to_s
        parts = [*(@result[:holders] ? with_holders : without_holders)]
        parts << Sites.new(@result, style: @style, width: @width, top: @top).to_s if @sites
        evidence = Evidence.new(@result)
        parts << wrap(evidence.to_s, @width) unless evidence.said?
        "#{parts.compact.join("\n\n")}\n"
      end

      private

      def with_holders
        headline = Headline.new(@result)
        lines = wrap(headline.to_s, @width).sub(/\A[^.:]+/) { |answer| paint_lines(answer) }
        ["#{lines}\n#{wrap(headline.facts, @width)}",
         Holders.new(@result, style: @style, width: @width, top: @holders).to_s]
      end

      def paint_lines(text) = text.lines(chomp: true).map { |line| @style.paint(line, :bold) }.join("\n")

      def without_holders
        text = wrap(Objects.new(@result).to_s, @width)
        # the figures, which are short enough never to be broken
        [text.sub(/\A\d\S* \S+/) { |figure| @style.paint(figure, :bold) }]
      end
    end
  end
end
