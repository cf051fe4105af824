# frozen_string_literal: true

require "leak_hunter/web/action"

module LeakHunter
  class Web
    module Actions
      # What there is.
      class Index < Action
        ROUTES = {
          "POST /dumps" => "take a dump; fork=1 makes the pause shorter",
          "GET /diff" => "compare the last three of this process",
          "GET /dumps" => "list the dumps of all processes",
          "GET /dumps/ID" => "describe one",
          "DELETE /dumps/ID" => "delete one",
          "GET /dumps/ID/download" => "one, where allow_download is set",
          "GET /status" => "how this process stands"
        }.freeze

        def show
          routes = ROUTES.transform_keys { |route| route.sub("/", request.url("/")) }
          Reply.new(200, { version: VERSION, pid: Process.pid, routes: }) { text(routes) }
        end

        private

        def text(routes)
          width = routes.keys.map(&:length).max
          <<~TEXT
            LeakHunter #{VERSION}, process #{Process.pid}

            #{routes.map { |route, purpose| "#{route.ljust(width)}  #{purpose}" }.join("\n")}

            Take three dumps, with work for the process in between; then ask for the diff.
            It takes first=ID&second=ID&third=ID, and identity, group_by, sort, top, only
            and ignore as LeakHunter.diff does. The answer is JSON to "accept: application/json".
          TEXT
        end
      end
    end
  end
end
