# frozen_string_literal: true

require "optparse"

module LeakHunter
  class CLI
    # What every command shares: options by optparse, help, where to write.
    class Command
      # @return [String] one line for the list of commands
      def self.summary = raise(NotImplementedError)

      def initialize(cli)
        @cli = cli
        @options = {}
      end

      # @param argv [Array<String>] what follows the command's name
      def call(argv)
        arguments = parser.permute(argv)
        @help ? stdout.puts(help) : execute(arguments)
      rescue OptionParser::ParseError => e
        raise UsageError, e.message
      end

      # @return [String]
      def help = parser.help

      private

      attr_reader :options

      def stdout = @cli.stdout

      def stderr = @cli.stderr

      def parser
        @parser ||= OptionParser.new(nil, 22) do |parser|
          define(parser)
          parser.on("-h", "--help", "show this") { @help = true }
        end
      end
    end
  end
end
