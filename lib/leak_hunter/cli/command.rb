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
        arguments = parse(argv)
        @help ? write(help) : execute(arguments)
      end

      # @return [String]
      def help = parser.help

      private

      attr_reader :options

      def stdout = @cli.stdout

      def stderr = @cli.stderr

      # @param text [String] to standard output
      def write(text) = @cli.write(text)

      def parser
        @parser ||= OptionParser.new(nil, 22) do |parser|
          # as optparse's own, which takes the nil of a flag for true
          parser.accept(Object) { |argument| argument.is_a?(String) ? utf8(argument) : argument || argument.nil? }
          define(parser)
          parser.on("-h", "--help", "show this") { @help = true }
        end
      end

      def parse(argv)
        # as bytes: a path need not be valid text
        parser.permute(argv.map(&:b)).map { |argument| utf8(argument) }
      rescue OptionParser::ParseError => e
        raise UsageError, Printable.call(parse_error(e))
      rescue UsageError
        raise
      rescue ArgumentError, EncodingError # a pattern was matched against invalid text
        raise UsageError, "an option is not valid UTF-8"
      end

      def utf8(argument) = argument.dup.force_encoding(Encoding::UTF_8)

      # Its own message joins texts of whatever encodings.
      def parse_error(error)
        "#{error.reason}: #{error.args.map { |argument| Printable.call(argument) }.join(" ")}"
      end

      # Before minutes of work rather than after.
      def check_output(paths)
        return unless @output

        shown = Printable.call(@output)
        raise UsageError, "--output: #{shown} is a directory" if File.directory?(@output)
        raise UsageError, "--output: #{shown} is one of the dumps" if paths.any? { |it| File.identical?(it, @output) }
        return if File.directory?(File.dirname(@output))

        raise UsageError, "--output: the directory #{Printable.call(File.dirname(@output))} does not exist"
      end

      # For JSON, whose text is valid UTF-8 whatever a path is.
      def text(path) = path.dup.force_encoding(Encoding::UTF_8).scrub
    end
  end
end
