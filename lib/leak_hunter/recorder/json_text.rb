# frozen_string_literal: true

module LeakHunter
  module Recorder
    # Strings as JSON has them. Applications replace JSON.generate; and json is a gem, slow to load beside busy threads.
    module JSONText
      SPECIAL = /["\\\u0000-\u001f]/
      private_constant :SPECIAL

      module_function

      # @param text [String] valid UTF-8
      # @return [String] the inside of a JSON string
      def escape(text) = text.gsub(SPECIAL) { |character| format("\\u%04x", character.ord) }

      def quote(text) = "\"#{escape(text)}\""
    end
  end
end
