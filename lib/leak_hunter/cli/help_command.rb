# frozen_string_literal: true

module LeakHunter
  class CLI
    # `leak_hunter help [COMMAND]`
    class HelpCommand < Command
      def self.summary = "show this, or the options of a command"

      private

      def define(parser) = parser.banner = "Usage: leak_hunter help [COMMAND]"

      def execute(arguments)
        return stdout.puts(overview) if arguments.empty?

        command = CLI.command(arguments.first) or
          raise UsageError, "#{arguments.first.inspect} is not a command. The commands are: #{COMMANDS.keys.join(", ")}"
        stdout.puts command.new(@cli).help
      end

      def overview
        <<~TEXT
          Usage: leak_hunter COMMAND [OPTIONS]

          Names what a Ruby process leaks, from three heap dumps.

          Commands:
          #{COMMANDS.keys.map { |name| format("  %<name>-8s %<about>s", name:, about: CLI.command(name).summary) }.join("\n")}

          Options:
            --version  show the version
            --help     show this

          Exit status: 0 fine, 1 the dumps could not be compared, 2 wrong usage.
        TEXT
      end
    end
  end
end
