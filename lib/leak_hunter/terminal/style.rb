# frozen_string_literal: true

module LeakHunter
  class Terminal
    # Styles text by escape sequences, or leaves it as it is.
    class Style
      CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 }.freeze

      # @param enabled [Boolean]
      def initialize(enabled)
        @enabled = enabled
      end

      # @param text [String] one line
      # @param styles [Array<Symbol>] of {CODES}
      # @return [String]
      def paint(text, *styles)
        return text if !@enabled || text.empty? || styles.empty?

        "\e[#{styles.map { |style| CODES.fetch(style) }.join(";")}m#{text}\e[0m"
      end
    end
  end
end
