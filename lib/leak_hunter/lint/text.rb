# frozen_string_literal: true

module LeakHunter
  class Lint
    # The findings for a terminal.
    class Text
      include Report::Format

      def initialize(lint, color:, width:)
        @lint = lint
        @style = Terminal::Style.new(color)
        @labelled = Report::Labelled.new(style: @style, width:)
        @width = width
      end

      # @return [String]
      def to_s
        parts = [wrap(headline, @width).lines(chomp: true).map { |line| @style.paint(line, :bold) }.join("\n"),
                 *@lint.findings.map { |finding| finding(finding) },
                 *notes.map { |note| wrap(printable(note), @width) }]
        "#{parts.join("\n\n")}\n"
      end

      private

      def headline
        found = @lint.findings.size
        files = counted(@lint.files, "file")
        return "Nothing was found in #{files}." if found.zero?

        confirmed = @lint.findings.count { |finding| finding[:confirmed] }
        shown = "; the heap shows #{confirmed} of them" if confirmed.positive?
        "#{counted(found, "finding")} in #{files}#{shown}."
      end

      def finding(finding)
        rule = [finding[:rule], ("(the heap shows it)" if finding[:confirmed])].compact.join(" ")
        place = "#{finding[:path]}:#{finding[:line]}"
        [*@labelled.row(finding[:severity], printable("#{place}: #{rule}")),
         *@labelled.row("", printable(finding[:message])),
         *finding[:evidence].flat_map { |text| @labelled.row("why", printable(text)) },
         *@labelled.row("grown", (bytes(finding[:grown]) if finding[:grown].positive?))].join("\n")
      end

      def notes
        [("Read with #{@lint.rubocop_version}." if @lint.rubocop_version),
         left_out(@lint.ignored, "#{Project::Settings::FILE} says"), left_out(@lint.known, "the baseline says"),
         stale, *@lint.notes, *@lint.rubocop_problems, *unexplained].compact
      end

      def left_out(number, why) = ("#{counted(number, "finding")} left out, as #{why}." if number.positive?)

      def stale
        return if @lint.stale.empty?

        "No longer found: #{@lint.stale.size} of the baseline. To take them out: leak_hunter lint --update-baseline"
      end

      def unexplained
        @lint.unexplained.to_a.map do |holder|
          "#{holder[:name] || "an unnamed #{holder[:class]}"} grows, and no finding is about it."
        end
      end
    end
  end
end
