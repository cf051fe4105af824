# frozen_string_literal: true

module LeakHunter
  # Text that is safe to print. Names in a dump, paths and arguments come from elsewhere and may contain escape
  # sequences, newlines, marks that reverse the direction of text, or bytes that are no text at all. Each is shown as an
  # escape: `\e`, `\n`, `\u202E`, `\xFF`.
  module Printable
    # Control characters, line and paragraph separators, bidirectional controls, and characters that show nothing.
    # Joiners (U+200C, U+200D) stay: scripts and emoji need them.
    UNSAFE = /[[:cntrl:]\u061C\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\uFEFF\uFFF9-\uFFFB\u{E0000}-\u{E007F}]/
    UNSAFE_ASCII = /[\x00-\x1F\x7F]/
    private_constant :UNSAFE, :UNSAFE_ASCII

    module_function

    # @param text [String, Symbol] in any encoding, valid or not
    # @return [String] one line of valid UTF-8
    def call(text)
      text = utf8(text.to_s)
      return text unless text.match?(text.ascii_only? ? UNSAFE_ASCII : UNSAFE)

      text.gsub(UNSAFE) { |char| char.dump[1..-2] }
    end

    # The same for text of several lines.
    #
    # @return [String] valid UTF-8; its line feeds are kept
    def lines(text) = utf8(text.to_s).split("\n", -1).map { |line| call(line) }.join("\n")

    # JSON without a character that a terminal would act on: JSON itself escapes only those below U+0020.
    #
    # @param json [String]
    # @return [String] JSON of the same value
    def json(json)
      return json if json.ascii_only?

      json.gsub(UNSAFE) { |char| char == "\n" ? char : units(char) }
    end

    # As UTF-16, which is how JSON escapes.
    def units(char) = char.encode(Encoding::UTF_16BE).unpack("n*").map { |unit| format("\\u%04x", unit) }.join
    private_class_method :units

    # Bytes of no known encoding are taken for UTF-8, as names of files and arguments mostly are.
    def utf8(text)
      known = text.encoding
      text = [Encoding::UTF_8, Encoding::BINARY, Encoding::US_ASCII].include?(known) ? text : text.encode("UTF-8")
      text = text.dup.force_encoding(Encoding::UTF_8) unless text.encoding == Encoding::UTF_8
      text.valid_encoding? ? text : text.scrub { |bytes| escape(bytes) }
    rescue EncodingError
      utf8(text.b)
    end
    private_class_method :utf8

    def escape(bytes) = bytes.each_byte.map { |byte| format("\\x%02X", byte) }.join
    private_class_method :escape
  end
end
