# frozen_string_literal: true

module LeakHunter
  class Report
    # Numbers, bytes and names for people, in the columns of a terminal.
    module Format
      UNITS = %w[kB MB GB TB PB EB].freeze

      # East Asian characters and emoji take two columns, combining marks none.
      WIDE = /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF]|
              [\uFE30-\uFE6F\uFF01-\uFF60\uFFE0-\uFFE6]|
              [\u{1F300}-\u{1F64F}\u{1F680}-\u{1F6FF}\u{1F900}-\u{1FAFF}\u{20000}-\u{3FFFD}]/x
      NARROW = /[\p{Mn}\p{Me}\p{Cf}]/

      ELLIPSIS = "..."

      # Where a name is broken into lines: before a part of a constant, a method or key, and after a folder or a word.
      PARTS = %r{(?=::|\.(?!rb\b)\p{Word}|\.@|\[)|(?<=/|,|\s)}
      # Where a part that is too long is broken: at words in it.
      SMALL_PARTS = /(?<=[_\-:])|(?<=\p{Ll})(?=\p{Lu})/

      # A space at which lines are not broken.
      BOUND = "\u00A0"

      module_function

      def count(number) = number.to_s.gsub(/(?<=\d)(?=(?:\d{3})+\z)/, ",")

      # "1 object", "9,037 objects"
      def counted(number, noun) = "#{count(number)} #{noun}#{"s" unless number == 1}"

      # "about 3,100": as many digits as an estimate has
      def about(number) = "about #{count(number.round(2 - number.to_s.length))}"

      # In units of 1000, as disks and networks count.
      def bytes(number)
        return "#{number} B" if number < 1000

        size = number.to_f
        unit = UNITS.find { (size /= 1000) < 999.95 } || UNITS.last
        format(size < 99.95 ? "%<size>.1f %<unit>s" : "%<size>.0f %<unit>s", size:, unit:)
      end

      def percent(part, whole)
        return "-" unless whole.positive?

        share = 100.0 * part / whole
        return "<0.1 %" if part.positive? && share < 0.05

        # 100.0 only where nothing is missing
        format("%.1f %%", part < whole ? [share, 99.9].min : share)
      end

      def printable(text) = Printable.call(text)

      def columns(text)
        text.ascii_only? ? text.length : text.each_char.sum { |char| char_columns(char) }
      end

      def char_columns(char)
        return 0 if char.match?(NARROW)

        char.match?(WIDE) ? 2 : 1
      end

      def pad(text, width) = text + (" " * [width - columns(text), 0].max)

      # Cuts off the end: the start of a name says most.
      def shorten(text, width)
        return text if columns(text) <= width

        take(text.each_char, width - ELLIPSIS.length) + ELLIPSIS[0, [width, 0].max]
      end

      # Cuts off the start: the end of a path says most, and of a constant in namespaces.
      def shorten_left(text, width)
        return text if columns(text) <= width

        ELLIPSIS[0, [width, 0].max] + take(text.each_char.reverse_each, width - ELLIPSIS.length).reverse
      end

      def take(chars, width)
        used = 0
        chars.take_while { |char| (used += char_columns(char)) <= width }.join
      end

      # A number stays with its unit.
      def bind_units(text) = text.gsub(/(?<=\d) (?=(?:[kMGTPE]?B|%)(?![[:alnum:]]))/, BOUND)

      # Breaks a paragraph into lines, and a word only where it is too long for one.
      def wrap(text, width)
        lines = bind_units(text).split.each_with_object([+""]) do |word, all|
          fits = columns(all.last) + columns(word) < width
          all << +"" unless fits || all.last.empty?
          all.last << " " unless all.last.empty?
          first, *rest = name_lines(word, width)
          all.last << first
          all.concat(rest)
        end
        lines.join("\n").tr(BOUND, " ")
      end

      # Breaks a name into lines, between its parts where it can be. Joined again, they are the name, but for blanks
      # where a line begins.
      #
      # @return [Array<String>] one at least
      def name_lines(name, width)
        return [name] if columns(name) <= width

        parts = name.split(PARTS).flat_map { |part| columns(part) > width ? part.split(SMALL_PARTS) : [part] }
        parts.each_with_object([+""]) { |part, lines| add_part(part, lines, width) }.map(&:rstrip)
      end

      def add_part(part, lines, width)
        lines << +"" if !lines.last.empty? && columns(lines.last) + columns(part.rstrip) > width
        part = part.lstrip if lines.last.empty?
        until columns(part) <= width
          piece = take(part.each_char, [width, 2].max)
          lines.last << piece
          lines << +""
          part = part.delete_prefix(piece)
        end
        lines.last << part
      end
    end
  end
end
