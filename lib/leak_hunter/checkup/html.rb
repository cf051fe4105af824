# frozen_string_literal: true

module LeakHunter
  class Checkup
    # The page as one HTML file that loads nothing.
    class HTML
      # Columns of paths.
      WIDTH = 90

      def initialize(checkup)
        @checkup = checkup
        @words = Words.new(checkup)
      end

      # @return [String]
      def to_s
        facts = @words.expired.map { |text| "<p>#{escape(text)}</p>" }.join
        Report::HTML::Page.new(headline: @words.headline, facts:, main: [*growth, *steps]).to_s
      end

      private

      def escape(text) = Report::HTML.escape(text)

      def growth
        @checkup.growth.map.with_index(1) do |growth, number|
          <<~HTML
            <details class="holder" open>
            <summary><h2>#{number}. <span class="verdict growing">growing</span> #{escape(growth.name)}</h2></summary>
            <dl>#{@words.facts(growth).map { |name, text| "<dt>#{name}</dt><dd>#{escape(text)}</dd>" }.join}</dl>
            <pre>#{growth.path.to_text(WIDTH).map { |line| escape(line) }.join("\n")}</pre>
            #{"<p class=\"next\"><code>#{escape(growth.next_command.to_s)}</code></p>" if growth.next_command}
            </details>
          HTML
        end
      end

      def steps
        @checkup.steps.map do |step|
          open = step.findings.any? { |finding| finding[:severity] != "low" } && step.number != 5
          <<~HTML
            <details#{" open" if open}>
            <summary><h2>#{escape(@words.title(step))}</h2></summary>
            #{step.findings.map { |finding| finding(finding) }.join unless step.number == 5}
            #{@words.notes(step).map { |note| "<p>#{escape(note)}</p>" }.join("\n")}
            </details>
          HTML
        end
      end

      def finding(finding)
        details = @words.details(finding).map { |name, text| "<dt>#{name}</dt><dd>#{shown(name, text)}</dd>" }.join
        <<~HTML
          <h3><span class="verdict #{severity_class(finding)}">#{finding[:severity]}</span> #{escape(@words.about(finding))}</h3>
          <p>#{escape(@words.message(finding))}</p>
          #{"<dl>#{details}</dl>" unless details.empty?}
        HTML
      end

      def severity_class(finding) = { "high" => "growing", "medium" => "inconclusive" }.fetch(finding[:severity], "")

      # Only addresses of the web become links.
      def shown(name, text)
        return escape(text) unless name == "see" && text.match?(%r{\Ahttps?://[^\s"'<>]+\z})

        "<a href=\"#{escape(text)}\" rel=\"noreferrer\">#{escape(text)}</a>"
      end
    end
  end
end
