# frozen_string_literal: true

module LeakHunter
  class Web
    # The result of an action: data for programs and a block that makes the text for people, or a file.
    class Reply
      # @return [Integer]
      attr_reader :status
      # @return [Hash] what becomes JSON
      attr_reader :data
      # @return [Hash{String => String}]
      attr_reader :headers
      # @return [FileBody, nil]
      attr_reader :file

      def initialize(status, data = nil, headers = {}, file: nil, &text)
        @status = status
        @data = data
        @headers = headers
        @file = file
        @text = text
      end

      # @return [String]
      def text = @text.call
    end
  end
end
