# frozen_string_literal: true

module LeakHunter
  class Report
    class HTML
      # A page that loads nothing and sends nothing: its policy allows its own style, and the script of its flame graph.
      class Page
        STYLE = File.join(__dir__, "style.css")
        # What the page's policy allows: this style alone.
        STYLE_HASH = File.join(__dir__, "style.sha256")
        private_constant :STYLE, :STYLE_HASH

        # @param headline [String] plain text
        # @param facts [String] HTML below the headline
        # @param main [Array<String>] HTML
        # @param flame [Flame, nil]
        def initialize(headline:, facts:, main:, flame: nil)
          @headline = headline
          @facts = facts
          @main = main
          @flame = flame
        end

        # @return [String]
        def to_s
          <<~HTML
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="#{policy}">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="referrer" content="no-referrer">
            <link rel="icon" href="data:,">
            <title>#{HTML.escape("LeakHunter: #{@headline}")}</title>
            <style>#{read(STYLE)}</style>
            #{@flame&.style}
            </head>
            <body>
            <header><h1>#{HTML.escape(@headline)}</h1>#{@facts}</header>
            <main>
            #{@main.join("\n")}
            </main>
            </body>
            </html>
          HTML
        end

        private

        def read(path) = File.read(path, encoding: Encoding::UTF_8)

        def policy
          styles = ["'#{read(STYLE_HASH).strip}'", *("'#{@flame.style_hash}'" if @flame)].join(" ")
          script = "script-src '#{@flame.script_hash}'; " if @flame
          "default-src 'none'; style-src #{styles}; #{script}img-src data:; base-uri 'none'; form-action 'none'"
        end
      end
    end
  end
end
