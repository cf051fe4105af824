# frozen_string_literal: true

require "json"

module LeakHunter
  class Web
    # Makes Rack's responses, for Rack 2 and 3.
    module Response
      TEXT = "text/plain; charset=utf-8"
      JSON_TYPE = "application/json"

      # Not for caches, frames, other sites or content sniffing.
      HEADERS = {
        "cache-control" => "no-store",
        "content-security-policy" => "default-src 'none'; frame-ancestors 'none'",
        "cross-origin-resource-policy" => "same-origin",
        "referrer-policy" => "no-referrer",
        "x-content-type-options" => "nosniff",
        "x-frame-options" => "DENY"
      }.freeze

      NOT_FOUND = "Not Found\n"

      module_function

      # For requests that are not authorized. A router that knows `x-cascade` tries its next route.
      def not_found(request)
        headers = { "cache-control" => "no-store", "content-type" => "text/plain",
                    "content-length" => NOT_FOUND.bytesize.to_s, "x-cascade" => "pass" }
        [404, headers, request.head? ? [] : [NOT_FOUND]]
      end

      # @param reply [Reply]
      def render(request, reply)
        headers = HEADERS.merge(reply.headers)
        return [reply.status, headers, file(request, reply)] if reply.file
        return [reply.status, headers, []] unless reply.data

        json = request.json?
        body = json ? "#{Printable.json(JSON.generate(reply.data))}\n" : reply.text
        headers["content-type"] = json ? JSON_TYPE : TEXT
        headers["content-length"] = body.bytesize.to_s
        [reply.status, headers, request.head? ? [] : [body]]
      end

      def file(request, reply)
        return reply.file unless request.head?

        reply.file.close
        []
      end
    end
  end
end
