# frozen_string_literal: true

require "leak_hunter/report"
require "leak_hunter/web/reply"

module LeakHunter
  class Web
    # An error as a response. It never leaves the endpoint.
    class Problem < StandardError
      # The first that matches applies.
      STATUSES = {
        UsageError => 400,
        DumpInProgress => 409,
        MismatchError => 409,
        DumpError => 422,
        NotEnoughDisk => 507
      }.freeze

      # @param error [Exception]
      # @return [Problem]
      def self.from(error)
        return error if error.is_a?(self)

        _, status = STATUSES.find { |kind, _| error.is_a?(kind) }
        new(status || 500, error.class.name.delete_prefix("LeakHunter::"), error.message)
      end

      # @return [Reply]
      attr_reader :reply

      # @param name [String] for programs; stays when the message is reworded
      def initialize(status, name, message, headers = {})
        super(message)
        message = Printable.lines(message)
        @reply = Reply.new(status, { error: name, message: }, headers) { "#{message.chomp}\n" }
      end
    end
  end
end
