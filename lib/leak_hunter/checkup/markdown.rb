# frozen_string_literal: true

module LeakHunter
  class Checkup
    # The page in GitHub's Markdown, for an issue or a pull request.
    class Markdown
      # Columns of the lines that are shown as they are.
      WIDTH = 100
      # Findings of a step that are shown.
      SHOWN = 20

      def initialize(checkup)
        @checkup = checkup
        @words = Words.new(checkup)
      end

      # @return [String]
      def to_s
        "#{["# #{escape(@words.headline)}", *growth, *@checkup.steps.map { |step| section(step) },
            *@words.expired.map { |text| escape(text) }].join("\n\n")}\n"
      end

      private

      def escape(text) = Report::Markdown.escape(text)

      def growth
        @checkup.growth.map.with_index(1) do |growth, number|
          command = growth.next_command
          ["## #{number}. Growing: #{escape(growth.name)}",
           @words.facts(growth).map { |name, text| "- **#{name}**: #{escape(text)}" }.join("\n"),
           Report::Markdown.block(growth.path.to_text(WIDTH).join("\n")),
           (Report::Markdown.block(command.to_s) if command)].compact.join("\n\n")
        end
      end

      def section(step)
        ["## #{escape(@words.title(step))}", *([findings(step)] unless step.number == 5),
         *@words.notes(step).map { |note| escape(note) }].compact.join("\n\n")
      end

      def findings(step)
        shown = step.findings.first(SHOWN)
        return if shown.empty?

        lines = shown.flat_map { |finding| [line(finding), *details(finding).map { |text| "  - #{escape(text)}" }] }
        rest = @words.more(step.findings.size - shown.size)
        [*lines, *("- #{escape(rest)}" if rest)].join("\n")
      end

      def line(finding)
        "- **#{finding[:severity]}** #{escape(@words.about(finding))}: #{escape(@words.message(finding))}"
      end

      def details(finding) = finding[:severity] == "low" ? [] : @words.details(finding).map { |_, text| text }
    end
  end
end
