# frozen_string_literal: true

module LeakHunter
  class CLI
    # `leak_hunter flame 3.json -o leak.html`
    class FlameCommand < ExportCommand
      def self.summary = "draw a dump as a flame graph, in one HTML file"

      private

      def define(parser)
        parser.banner = ["Usage: leak_hunter flame [OPTIONS] DUMP -o FILE",
                         "       leak_hunter flame [OPTIONS] FIRST SECOND THIRD -o FILE"].join("\n")
        parser.separator "\nA page that shows who retains a heap and where it was made, and loads nothing;\n" \
                         "with three dumps, of what leaked between them.\n\n"
        @export = "flame"
        define_output(parser)
        define_common(parser)
      end
    end
  end
end
