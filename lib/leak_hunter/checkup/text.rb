# frozen_string_literal: true

module LeakHunter
  class Checkup
    # The page for a terminal.
    class Text
      include Report::Format

      # Findings of a step that are shown.
      SHOWN = 10

      def initialize(checkup, color:, width:)
        @checkup = checkup
        @words = Words.new(checkup)
        @style = Terminal::Style.new(color)
        @labelled = Report::Labelled.new(style: @style, width:)
        @width = width
      end

      # @return [String]
      def to_s
        parts = [bold(@words.headline), *growth, *@checkup.steps.map { |step| section(step) },
                 *@words.expired.map { |text| wrap(text, @width) }]
        "#{parts.compact.join("\n\n")}\n"
      end

      private

      def growth
        @checkup.growth.map.with_index(1) do |growth, number|
          [*@labelled.title("#{number}. ", "GROWING", growth.name), *rows(@words.facts(growth)),
           *@labelled.command("next", growth.next_command)].join("\n")
        end
      end

      def section(step)
        [bold(@words.title(step)), *findings(step), *rows(@words.notes(step).map { |note| ["note", note] })].join("\n")
      end

      # What grows stands at the top already.
      def findings(step)
        return [] if step.number == 5

        shown = step.findings.first(SHOWN)
        [*shown.flat_map { |finding| finding(finding) },
         *@labelled.row("", @words.more(step.findings.size - shown.size))]
      end

      def finding(finding)
        details = finding[:severity] == "low" ? [] : @words.details(finding)
        [*@labelled.row(finding[:severity], @words.about(finding)), *@labelled.row("", @words.message(finding)),
         *rows(details)]
      end

      def rows(labels) = labels.flat_map { |name, text| @labelled.row(name, text) }

      def bold(text) = wrap(text, @width).lines(chomp: true).map { |line| @style.paint(line, :bold) }.join("\n")
    end
  end
end
