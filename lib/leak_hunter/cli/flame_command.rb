# frozen_string_literal: true

module LeakHunter
  class CLI
    # `leak_hunter flame 3.json -o leak.html`
    class FlameCommand < ExportCommand
      def self.summary = "draw a dump as a flame graph, in one HTML file"

      private

      def define(parser)
        parser.banner = ["Usage: leak_hunter flame [OPTIONS] DUMP -o FILE",
                         "       leak_hunter flame [OPTIONS] FIRST SECOND THIRD... -o FILE"].join("\n")
        parser.separator "\nWrites one HTML page that shows what retains the memory of a heap and where it\n" \
                         "was allocated; with three or more dumps, of what leaked between them.\n\n"
        @export = "flame"
        define_output(parser)
        define_common(parser)
      end
    end
  end
end
