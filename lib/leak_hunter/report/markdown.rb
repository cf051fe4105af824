# frozen_string_literal: true

module LeakHunter
  class Report
    # The report for an issue or a pull request, in GitHub's Markdown.
    class Markdown
      include Format

      # What Markdown, or HTML in it, would take for more than text.
      SPECIAL = /[\\`*_{}\[\]<>&#|~!]/
      # Columns of the lines that are shown as they are.
      WIDTH = 100
      GROUPS = 10

      class << self
        # @return [String] text of any origin, for a page
        def escape(text) = Printable.call(text).gsub(SPECIAL) { |char| "\\#{char}" }

        # @return [String] text as it is. Its fence is longer than any that the text has
        def block(text)
          fence = "`" * [3, (text.scan(/`+/).map(&:length).max || 0) + 1].max
          "#{fence}\n#{text}\n#{fence}"
        end
      end

      # @param top [Integer, nil] groups to show; nil shows all
      # @param holders [Integer, nil] holders to show, of those that grow; nil shows all
      def initialize(result, holders:, top:)
        @result = result
        @holders = holders
        @top = top
      end

      # @return [String]
      def to_s
        parts = @result[:holders] ? with_holders : ["# #{escape(Objects.new(@result).to_s)}"]
        "#{[*parts, sites, "## Certainty", escape(Evidence.new(@result).to_s)].compact.join("\n\n")}\n"
      end

      private

      def with_holders
        headline = Headline.new(@result)
        overview = Overview.new(@result, top: @holders)
        ["# #{escape(headline.to_s)}", escape(headline.facts),
         *overview.shown.map.with_index(1) { |holder, index| section(holder, index) },
         *overview.folded.map { |fold| "#{escape(fold.title)}: #{escape(fold.text)}" }]
      end

      def section(holder, index)
        command = holder.next_command
        ["## #{index}. #{holder.verdict.to_s.capitalize}: #{escape(holder.name)}",
         holder.facts.map { |name, text| "- **#{name}**: #{escape(text)}" }.join("\n"),
         block(holder.path.to_text(WIDTH).join("\n")), (block(command.to_s) if command)].compact.join("\n\n")
      end

      def sites
        return if @result[:groups].empty?

        groups = Groups.new(@result, top: @top)
        rows = [*groups.shown, *groups.sums].map do |row|
          [row.title, row.words&.detail(WIDTH).to_s, count(row.objects), bytes(row.memsize), groups.share(row)]
            .map { |cell| escape(cell) }
        end
        "## Where it was allocated\n\n#{table(["", "allocated at", "objects", "bytes", "share"], rows)}"
      end

      def table(header, rows)
        lines = [header, ["---", "---", "--:", "--:", "--:"], *rows]
        lines.map { |cells| "| #{cells.join(" | ")} |" }.join("\n")
      end

      def block(text) = Markdown.block(text)

      def escape(text) = Markdown.escape(text)
    end
  end
end
