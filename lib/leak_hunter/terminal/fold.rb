# frozen_string_literal: true

module LeakHunter
  class Terminal
    # Breaks the lines of a text that are too wide, between words where it can be, and indents what follows. Escape
    # sequences of {Style} take no columns and go on in the next line.
    class Fold
      # An escape sequence, blanks, or a word.
      TOKEN = /\e\[[\d;]*m| +|[^ \e]+|\e/
      RESET = "\e[0m"

      # @param text [String]
      # @param width [Integer] columns
      # @return [String] of the same lines, none wider
      def self.call(text, width)
        text.split("\n", -1).map { |line| new(line, width).to_s }.join("\n")
      end

      def initialize(line, width)
        @line = line
        @width = width
        @lines = []
        @style = nil
      end

      # @return [String]
      def to_s
        return @line if Report::Format.columns(@line.gsub(/\e\[[\d;]*m/, "")) <= @width

        @indent = " " * [@line[/\A */].length + 2, @width / 3].min
        start(@line[/\A */][0, @width / 3])
        @line.lstrip.scan(TOKEN) { |token| add(token) }
        @lines << "#{@current}#{@between.delete(" ")}"
        @lines.join("\n")
      end

      private

      # `between` is what stands before the next word: blanks and escape sequences. A new line leaves the blanks out.
      def start(indent)
        @current = +"#{indent}#{@style}"
        @open = @style
        @used = indent.length
        @between = +""
        @blanks = 0
        @empty = true
      end

      def add(token)
        case token
        when /\A\e\[/
          @between << token
          @style = token == RESET ? nil : token
        when /\A / then blanks(token) unless @empty
        else word(token)
        end
      end

      def blanks(token)
        @between << token
        @blanks += token.length
      end

      def word(word)
        size = Report::Format.columns(word)
        next_line if !@empty && @used + @blanks + size > @width
        return append(word, size) if @used + @blanks + size <= @width

        word.each_char do |char|
          size = Report::Format.char_columns(char)
          next_line if @used + size > @width
          append(char, size)
        end
      end

      def append(text, columns)
        @current << @between << text
        @used += @blanks + columns
        @open = @style
        @between = +""
        @blanks = 0
        @empty = false
      end

      def next_line
        @lines << "#{@current}#{RESET if @open}"
        start(@indent)
      end
    end
  end
end
