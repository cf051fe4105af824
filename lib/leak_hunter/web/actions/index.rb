# frozen_string_literal: true

require "leak_hunter/web/action"

module LeakHunter
  class Web
    module Actions
      # Lists the routes.
      class Index < Action
        ROUTES = {
          "POST /dumps" => "take a dump; fork=1 shortens the pause",
          "GET /diff" => "compare the last three dumps of this process",
          "GET /dumps" => "list dumps of all processes",
          "GET /dumps/ID" => "describe a dump",
          "DELETE /dumps/ID" => "delete a dump",
          "GET /dumps/ID/download" => "download a dump, if allow_download is set",
          "GET /status" => "tracing, dumps and limits"
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

            Take three dumps and let the process work in between; then get the diff.
            Its parameters: first=ID&second=ID&third=ID to choose the dumps, and identity,
            group_by, sort, top, only, ignore and holders as for LeakHunter.diff.
            With "accept: application/json" responses are JSON.
          TEXT
        end
      end
    end
  end
end
