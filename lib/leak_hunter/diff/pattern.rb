# frozen_string_literal: true

module LeakHunter
  module Diff
    # A pattern of `only:` or `ignore:` as the native side takes it: `["text", part]` or `["regex", source]`, the source
    # in the syntax of Rust's regex. The two dialects are close; what differs and has a counterpart is translated, the
    # rest (look-around, back-references) is refused over there.
    module Pattern
      # Escapes that Rust writes differently, outside and inside of brackets.
      ESCAPES = {
        "h" => ["[0-9A-Fa-f]", "0-9A-Fa-f"],
        "H" => ["[^0-9A-Fa-f]", nil],
        "Z" => ["(?:\\n?\\z)", nil],
        "e" => ["\\x1B", "\\x1B"],
        " " => ["\\x20", "\\x20"],
        "<" => ["<", "<"],
        ">" => [">", ">"]
      }.freeze

      class << self
        def convert(option, pattern)
          case pattern
          when Regexp then ["regex", regexp(pattern)]
          when String, Symbol then ["text", text(option, pattern.to_s)]
          else raise UsageError, "#{option}: expected a String or a Regexp, got #{Arguments.show(pattern)}"
          end
        end

        private

        def text(option, pattern)
          raise UsageError, "#{option}: a pattern is empty; it would match everything" if pattern.empty?

          utf8(pattern)
        end

        # Ruby's ^ and $ are always those of lines; Ruby's m is what others call s.
        def regexp(pattern)
          options = pattern.options
          flags = +"m"
          flags << "i" if options.anybits?(Regexp::IGNORECASE)
          flags << "s" if options.anybits?(Regexp::MULTILINE)
          flags << "x" if options.anybits?(Regexp::EXTENDED)
          "(?#{flags})#{translate(utf8(pattern.source), extended: options.anybits?(Regexp::EXTENDED))}"
        end

        def utf8(string)
          string.encode(Encoding::UTF_8).tap { |utf8| raise EncodingError unless utf8.valid_encoding? }
        rescue EncodingError
          raise UsageError, "pattern #{Arguments.show(string)} is not valid text"
        end

        # Outside of brackets, `(?mi-x:` and `(?mi-x)` set flags.
        TOKEN = /\\.?|\(\?([mix]*)(-[mix]*)?([:)])|./m
        private_constant :TOKEN

        def translate(source, extended:)
          brackets = 0
          source.gsub(TOKEN) do |token|
            on, off, close = Regexp.last_match.captures
            if token.start_with?("\\") then escape(token[1], brackets)
            elsif close && brackets.zero?
              "(?#{on.tr("m", "s")}#{off&.tr("m", "s")&.delete_suffix("-")}#{close}"
            else
              brackets = depth(brackets, token)
              # within brackets Rust's x skips blanks, Ruby's does not
              extended && brackets.positive? && token.match?(/\A[\s#]\z/) ? format("\\x%02X", token.ord) : token
            end
          end
        end

        def depth(brackets, char)
          case char
          when "[" then brackets + 1
          when "]" then [brackets - 1, 0].max
          else brackets
          end
        end

        def escape(char, brackets)
          return "\\\\" if char.nil? # cannot be: Ruby refuses a lone backslash at the end
          return char unless char.ascii_only?

          ESCAPES[char]&.at(brackets.zero? ? 0 : 1) || "\\#{char}"
        end
      end
    end
  end
end
