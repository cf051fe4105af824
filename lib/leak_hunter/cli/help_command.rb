# frozen_string_literal: true

module LeakHunter
  class CLI
    # `leak_hunter help [COMMAND]`
    class HelpCommand < Command
      def self.summary = "show this, or the options of a command"

      private

      def define(parser) = parser.banner = "Usage: leak_hunter help [COMMAND]"

      def execute(arguments)
        write(arguments.empty? ? Terminal::Fold.call(overview, width) : CLI.command(arguments.first).new(@cli).help)
      end

      def overview
        <<~TEXT
          Usage: leak_hunter COMMAND [OPTIONS]

          Finds memory leaks in Ruby processes by comparing heap dumps of a process.

          Commands:
          #{COMMANDS.keys.map { |name| format("  %<name>-8s %<about>s", name:, about: CLI.command(name).summary) }.join("\n")}

          Options:
            -v, --version  show the version
            -h, --help     show this

          Exit status: 0 success, 1 failure, 2 wrong usage.
        TEXT
      end
    end
  end
end
