# frozen_string_literal: true

module LeakHunter
  class Web
    # Text or JSON, as the `accept` header prefers; text if it has no preference (curl sends `*/*`).
    module Accept
      JSON = %w[application/json application/* */*].freeze
      TEXT = %w[text/plain text/* */*].freeze
      MAX_BYTES = 1024

      module_function

      # @param header [String, nil]
      def json?(header)
        return false if header.nil? || header.bytesize > MAX_BYTES

        qualities = parse(header.b.downcase)
        json = quality(qualities, JSON)
        text = quality(qualities, TEXT)
        json == text ? json.positive? && named_first?(qualities.keys) : json > text
      end

      # The most specific matching range counts.
      def quality(qualities, ranges) = qualities.fetch(ranges.find { |range| qualities.key?(range) }, 0.0)

      # Programs send "application/json, */*", and "application/json, text/plain, */*".
      def named_first?(types) = types.find { |type| [JSON.first, TEXT.first].include?(type) } == JSON.first

      def parse(header)
        header.split(",").to_h do |range|
          type, *parameters = range.split(";").map(&:strip)
          quality = parameters.find { |parameter| parameter.start_with?("q=") }
          [type, quality ? quality.delete_prefix("q=").to_f : 1.0]
        end
      end
    end
  end
end
