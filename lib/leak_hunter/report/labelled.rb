# frozen_string_literal: true

module LeakHunter
  class Report
    # Lines of text with a label before the first, in whatever width: `   fix     Limit the size.`
    class Labelled
      include Format

      # Columns before a text: its indent, and its label.
      Margin = Struct.new(:indent, :label)

      # By the least columns that each is for. In the fewest, labels have lines of their own.
      MARGINS = { 60 => Margin.new(3, 8), 40 => Margin.new(1, 6), 0 => Margin.new(1, 0) }.freeze
      # What stands below a label that has a line of its own is indented by so many more.
      BELOW = 1

      # @param style [Terminal::Style]
      # @param width [Integer] columns
      def initialize(style:, width:)
        @style = style
        @width = width
        @margin = MARGINS.find { |least, _| width >= least }.last
      end

      # @return [Integer] columns of the texts
      def room = @width - @margin.indent - (below? ? BELOW : @margin.label)

      # Names are not cut: a long one takes lines of its own.
      #
      # @param number [String] "1. "
      # @param word [String] what stands before the name
      # @return [Array<String>] lines
      def title(number, word, name)
        indent = " " * @margin.indent
        lines = name_lines(name, @width - @margin.indent)
        free = @width - number.length - word.length - 2
        first = lines.one? && columns(lines.first) <= free ? "#{word}  #{lines.shift}" : word
        ["#{number}#{@style.paint(first, :bold)}", *lines.map { |line| "#{indent}#{@style.paint(line, :bold)}" }]
      end

      # @param text [String, nil] nil is no row
      # @return [Array<String>] lines
      def row(name, text) = lines(name, text && wrap(text, room).split("\n"))

      # @param lines [Array<String>, nil] none wider than the room; nil is no row
      # @return [Array<String>] lines
      def lines(name, lines)
        return [] unless lines

        first = label(name, below? ? "" : lines.first)
        indent = " " * (@width - room)
        rest = below? ? lines : lines.drop(1)
        [first, *rest.map { |line| "#{indent}#{line}" }]
      end

      # A command that is too long for a line goes on in the next, as shells read it.
      #
      # @param command [ShellCommand, nil]
      # @return [Array<String>] lines
      def command(name, command)
        return [] unless command

        fitting = command.lines(room) and return lines(name, fitting)
        fitting = command.lines(@width - @margin.indent)&.map { |line| "#{" " * @margin.indent}#{line}" }
        [label(name, ""), *(fitting || command.unindented_lines(@width))]
      end

      private

      def below? = @margin.label.zero?

      def label(name, text)
        name = below? ? name : name.ljust(@margin.label)
        "#{" " * @margin.indent}#{@style.paint(name, :dim)}#{text}".rstrip
      end
    end
  end
end
