# frozen_string_literal: true

require "leak_hunter/report"
require "leak_hunter/web/folder"
require "leak_hunter/web/problem"
require "leak_hunter/web/reply"

module LeakHunter
  class Web
    # Handles the requests of one route.
    class Action
      # @param params [Hash{Symbol => String, Array<String>}]
      def initialize(request, settings, params)
        @request = request
        @settings = settings
        @params = params
      end

      private

      attr_reader :request, :settings, :params

      def folder = @folder ||= Folder.new(settings.dir)

      # Who did what, where that matters.
      def log(deed)
        client = request.env["REMOTE_ADDR"]
        settings.logger&.info("LeakHunter::Web: #{"#{Printable.call(client)} " if client}#{deed}")
      rescue StandardError
        nil # the answer does not depend on a logger
      end

      def bytes(number) = Report::Format.bytes(number)

      def counted(number, noun) = Report::Format.counted(number, noun)
    end
  end
end
