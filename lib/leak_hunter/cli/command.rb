# frozen_string_literal: true

require "leak_hunter/output_file"
require "optparse"

module LeakHunter
  class CLI
    # What every command shares: options by optparse, help, where to write.
    class Command
      # Columns in which options and what they are for do not stand side by side.
      NARROW = 60
      private_constant :NARROW

      # @return [String] one line for the list of commands
      def self.summary = raise(NotImplementedError)

      # @return [Integer] exit status when something goes wrong
      def self.failure = FAILURE

      def initialize(cli)
        @cli = cli
        @options = {}
      end

      # @param argv [Array<String>] what follows the command's name
      def call(argv)
        arguments = parse(argv)
        if @version then @cli.write_version
        elsif @help then write(help)
        else
          StandardInput.open(arguments, @cli.stdin) { |given| execute(given) }
        end
      end

      # @return [String] no line of it is wider than the terminal, or than `--width`
      def help = Terminal::Fold.call(parser.help, width)

      private

      attr_reader :options

      def stdout = @cli.stdout

      def stderr = @cli.stderr

      # @param text [String] to standard output
      def write(text) = @cli.write(text)

      def parser
        @parser ||= OptionParser.new(nil, summary_width) do |parser|
          # as optparse's own, which takes the nil of a flag for true
          parser.accept(Object) { |argument| argument.is_a?(String) ? utf8(argument) : argument || argument.nil? }
          define(parser)
          parser.on("-h", "--help", "show this") { @help = true }
          parser.on("-v", "-V", "--version", "show the version") { @version = true }
        end
      end

      # Of the options in a help text. In a narrow one, what an option is for stands below it.
      def summary_width = width < NARROW ? 4 : 22

      def define_width(parser)
        parser.on("--width N", "columns of the text; default: COLUMNS, or",
                  "as wide as the terminal") { |number| @width = parse_width(number) }
      end

      def parse_width(text)
        return text.to_i if text.match?(/\A\d{1,6}\z/) && Report::Text::WIDTHS.cover?(text.to_i)

        range = Report::Text::WIDTHS
        raise UsageError, "--width: expected #{range.begin} to #{range.end}, got #{Printable.call(text)}"
      end

      def width = @width || Terminal.new(stdout).width

      def parse(argv)
        # made here: what is wrong with it is no error of an argument
        parser = self.parser
        permute(parser, argv)
      end

      def permute(parser, argv)
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
        given = error.args.map { |argument| utf8(argument) }
        text = "#{error.reason}: #{given.map { |argument| Printable.call(argument) }.join(" ")}"
        return text unless error.is_a?(OptionParser::InvalidOption) && given.first.valid_encoding?

        similar(text, given.first[/\A[^=]*/], parser.candidate("--"))
      end

      # @return [String] the message, and what may have been meant
      def similar(message, given, known)
        hint = Arguments.hint(given, known)
        hint ? "#{message}.#{hint}" : message
      end

      # @return [String] the value
      def one_of(option, value, known)
        return value if known.include?(value)

        message = "--#{option}: expected #{known.join(", ")}, got #{Printable.call(value)}"
        raise UsageError, similar(message, value, known)
      end

      # To standard output, or to the file of `--output`.
      def deliver(text)
        return write(text) unless @output

        begin
          OutputFile.write(@output, overwrite: true) { |io| io.write(text) }
        rescue SystemCallError => e
          raise WriteError.new(@output, e)
        end
      end

      # A file has none unless it is asked for.
      def color
        return @color unless @color.nil?

        @output ? false : stdout
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
