# frozen_string_literal: true

module LeakHunter
  class Report
    # Whether to colour, and how. Either paints or leaves text as it is.
    class Color
      CODES = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 }.freeze

      class << self
        # @param choice [Boolean, IO, nil] see {Report#to_s}
        def wanted?(choice, env: ENV)
          return choice ? true : false if [true, false, nil].include?(choice)
          return false if set?(env, "NO_COLOR")
          return env["FORCE_COLOR"] != "0" if set?(env, "FORCE_COLOR")

          choice.respond_to?(:tty?) && choice.tty? && env["TERM"] != "dumb"
        end

        private

        # no-color.org: present and not empty
        def set?(env, name) = !env.fetch(name, "").empty?
      end

      def initialize(enabled)
        @enabled = enabled
      end

      def paint(text, *styles)
        return text if !@enabled || text.empty? || styles.empty?

        "\e[#{styles.map { |style| CODES.fetch(style) }.join(";")}m#{text}\e[0m"
      end
    end
  end
end
