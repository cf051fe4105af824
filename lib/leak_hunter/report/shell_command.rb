# frozen_string_literal: true

module LeakHunter
  class Report
    # A command to be copied into a shell. It runs as it is printed, also where it had to be broken into lines.
    class ShellCommand
      include Format

      # What shells take for more than a character of a word; everything else is not escaped.
      SPECIAL = %r{[\x00-\x7F&&[^\w.,:+/@%=-]]}
      # What must not be broken: an escaped character, or a quoted one.
      UNIT = /\$'.*?'|\\.|./m
      private_constant :SPECIAL, :UNIT

      # @param program [String] with its subcommand
      # @param path [String] a file
      # @param rest [String]
      def initialize(program, path, rest)
        @words = [program, word(path), rest]
      end

      # @return [String] in one line
      def to_s = @words.join(" ")

      # @param width [Integer] columns
      # @return [Array<String>, nil] lines that may be indented; nil where a word alone is longer than a line
      def lines(width)
        lines = packed(width)
        lines if lines.all? { |line| columns(line) <= width }
      end

      # @param width [Integer] columns
      # @return [Array<String>] lines that must not be indented: words go on in the next
      def unindented_lines(width)
        *words, last = @words
        [*words.flat_map { |word| broken("#{word} \\", word, width) }, *broken(last, last, width)]
      end

      private

      # As many words in a line as there is room for, and a backslash after all lines but the last.
      def packed(width)
        lines = @words.each_with_object([]) do |word, all|
          room = word.equal?(@words.last) ? width : width - 2
          fits = all.any? && columns(all.last) + 1 + columns(word) <= room
          fits ? all.last << " " << word : all << word.dup
        end
        [*lines[..-2].map { |line| "#{line} \\" }, lines.last]
      end

      # A line, or as many as a word takes that is longer than one. A backslash at the end joins the parts.
      def broken(line, word, width)
        return [line] if columns(line) <= width

        parts = word.scan(UNIT).each_with_object([+""]) do |unit, all|
          all << +"" if columns(all.last) + columns(unit) > width - 2
          all.last << unit
        end
        [*parts[..-2].map { |part| "#{part}\\" }, "#{parts.last}#{line.delete_prefix(word)}"]
      end

      # @return [String] as shells such as bash and zsh read it. Bytes that were no text are not known any more
      def word(path)
        path = "./#{path}" if path.start_with?("-")
        path.each_char.map { |char| quote(char) }.join
      end

      def quote(char)
        return "*" if char == "\uFFFD"
        return "$'#{char.each_byte.map { |byte| format("\\x%02x", byte) }.join}'" unless printable(char) == char

        char.match?(SPECIAL) ? "\\#{char}" : char
      end
    end
  end
end
