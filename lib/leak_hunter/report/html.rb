# frozen_string_literal: true

module LeakHunter
  class Report
    # The report as one self-contained file, which loads nothing; for a browser, a phone, a printer. Its only script
    # draws the flame graph.
    class HTML
      include Format

      autoload :Charts, "leak_hunter/report/html/charts"
      autoload :Flame, "leak_hunter/report/html/flame"
      autoload :Page, "leak_hunter/report/html/page"

      ESCAPES = { "&" => "&amp;", "<" => "&lt;", ">" => "&gt;", '"' => "&quot;", "'" => "&#39;" }.freeze
      # Columns of paths.
      WIDTH = 90
      # Groups in the table.
      GROUPS = 50

      # @param text [String] of any origin
      # @return [String] that text, for a page
      def self.escape(text) = Printable.call(text).gsub(/[&<>"']/, ESCAPES)

      # @param result [Hash] of a diff
      def initialize(result)
        @result = result
        @overview = Overview.new(result, top: Findings.new(result).first.size) if result[:holders]
      end

      # @return [String]
      def to_s
        Page.new(headline:, facts:, flame:, main: [*holders, *folded, flame, sites, certainty].compact).to_s
      end

      private

      def escape(text) = HTML.escape(text)

      def headline = @headline ||= (@overview ? Headline : Objects).new(@result).to_s

      def facts = @overview && "<p>#{escape(Headline.new(@result).facts)}</p>"

      def holders
        return [] unless @overview

        @overview.shown.map.with_index(1) { |holder, index| card(holder, index) }
      end

      def card(holder, index)
        <<~HTML
          <details class="holder" #{"open" if index == 1 || holder.verdict == Findings::GROWING}>
          <summary><h2>#{index}. <span class="verdict #{escape(holder.verdict)}">#{escape(holder.verdict)}</span> #{escape(holder.name)}</h2></summary>
          #{Charts.windows(holder)}
          <dl>#{holder.facts.map { |name, text| "<dt>#{name}</dt><dd>#{escape(bind_units(text))}</dd>" }.join}</dl>
          <pre>#{holder.path.to_text(WIDTH).map { |line| escape(line) }.join("\n")}</pre>
          #{"<p class=\"next\"><code>#{escape(holder.next_command.to_s)}</code></p>" if holder.next_command}
          </details>
        HTML
      end

      # Holders that do not grow, each with its numbers.
      def folded
        return [] unless @overview

        @overview.folded.map do |fold|
          rows = fold.holders.map { |holder| [escape(holder.name), escape(holder.rate), escape(holder.size)] }
          next "<p>#{escape("#{fold.title}: #{fold.text}")}</p>" if rows.empty?

          section("#{fold.title}: #{fold.text}", table(%w[holder rate size], rows))
        end
      end

      def flame
        return unless @result[:flame]

        @flame ||= Flame.new(@result[:flame], title: Moments.new(@result).between)
      end

      def sites
        return if @result[:groups].empty?

        groups = Groups.new(@result, top: GROUPS)
        rows = [*groups.shown, *groups.sums].map do |row|
          [row.title, row.words&.detail(WIDTH).to_s, count(row.objects), bytes(row.memsize), groups.share(row)]
            .map { |cell| escape(cell) }
        end
        title = "Where the #{counted(@result[:totals][:count], "leaked object")} were allocated"
        section(title, table(["", "allocated at", "objects", "bytes", "share"], rows, numbers: 2..))
      end

      def certainty = section("Certainty", "<p>#{escape(Evidence.new(@result).to_s)}</p>")

      def section(title, content) = "<details><summary>#{escape(title)}</summary>\n#{content}\n</details>"

      # On a phone a row is a few lines, and what a cell is stands before it.
      #
      # @param rows [Array<Array<String>>] of escaped text
      # @param numbers [Range, nil] columns of numbers
      def table(header, rows, numbers: nil)
        kind = header.each_index.map { |column| " class=\"number\"" if numbers&.cover?(column) }
        head = header.zip(kind).map { |name, type| "<th scope=\"col\"#{type}>#{name}</th>" }.join
        body = rows.map do |cells|
          cells = cells.zip(header, kind).map { |cell, name, type| "<td#{type} data-label=\"#{name}\">#{cell}</td>" }
          "<tr>#{cells.join}</tr>"
        end
        "<div class=\"wide\"><table><thead><tr>#{head}</tr></thead>\n" \
          "<tbody>\n#{body.join("\n")}\n</tbody></table></div>"
      end
    end
  end
end
