# frozen_string_literal: true

module LeakHunter
  class Report
    # The holders of a report as text: those that grow, a paragraph each, then the others in a line for each verdict.
    class Holders
      include Format

      # @param top [Integer, nil] see {Overview}
      def initialize(result, style:, width:, top:)
        @overview = Overview.new(result, top:)
        @labelled = Labelled.new(style:, width:)
        @width = width
      end

      # @return [String, nil] nil where there is none
      def to_s
        paragraphs = @overview.shown.map.with_index(1) { |holder, index| paragraph(holder, index) }
        text = [*paragraphs, folded].compact.join("\n\n")
        text unless text.empty?
      end

      private

      def paragraph(holder, index)
        facts = holder.facts
        [*@labelled.title("#{index}. ", holder.verdict.to_s.upcase, holder.name),
         *@labelled.row("rate", facts.values_at("rate", "size").join("; ")), *row("why", facts),
         *@labelled.lines("path", holder.path.to_text(@labelled.room)),
         *%w[code from via fix].flat_map { |label| row(label, facts) },
         *@labelled.command("next", holder.next_command)].join("\n")
      end

      def row(label, facts) = @labelled.row(label, facts[label])

      def folded
        folds = @overview.folded
        folds.map { |fold| wrap("#{fold.title}: #{fold.text}", @width) }.join("\n") unless folds.empty?
      end
    end
  end
end
