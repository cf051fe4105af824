# frozen_string_literal: true

require "uri"
require "leak_hunter/web/accept"
require "leak_hunter/web/problem"

module LeakHunter
  class Web
    # A request, read from the Rack environment.
    class Request
      SAFE = %w[GET HEAD].freeze
      DEFAULT_PORTS = { "http" => ":80", "https" => ":443" }.freeze
      FORM = "application/x-www-form-urlencoded"
      MAX_BYTES = 8192

      # Parameters that may be given more than once.
      LISTS = %w[only ignore].freeze

      # @return [Hash]
      attr_reader :env

      def initialize(env)
        @env = env
      end

      # @return [String]
      def method = env["REQUEST_METHOD"]

      def head? = method == "HEAD"

      # @return [String] the method for routing: HEAD is GET without the body
      def verb = head? ? "GET" : method

      # @return [Boolean] whether it changes nothing
      def safe? = SAFE.include?(method)

      # @return [String] relative to where the endpoint is mounted; "" for that place itself
      def path = env["PATH_INFO"].to_s.chomp("/")

      # @return [String] the path on this server of a path of the endpoint
      def url(path) = "#{env["SCRIPT_NAME"]}#{path}".force_encoding(Encoding::UTF_8).scrub("?")

      # @return [String, nil]
      def header(name) = env["HTTP_#{name}"]

      # @return [String, nil] the token in the request
      def bearer = header("AUTHORIZATION")&.b&.slice(/\ABearer +([!-~]+) *\z/i, 1)

      # @return [String] scheme, host and port as a browser writes them
      def origin
        scheme = env["rack.url_scheme"]
        host = header("HOST") || "#{env["SERVER_NAME"]}:#{env["SERVER_PORT"]}"
        "#{scheme}://#{host.b.downcase}".delete_suffix(DEFAULT_PORTS.fetch(scheme, ""))
      end

      def origin?(other) = other.b.downcase == origin

      def json? = Accept.json?(header("ACCEPT"))

      # @param allowed [Array<String>]
      # @return [Hash{Symbol => String, Array<String>}] from the query and, unless the request is a safe one, the body
      # @raise [UsageError, Problem] for parameters that are unknown, repeated or too long
      def params(allowed)
        pairs = decode(env["QUERY_STRING"].to_s)
        pairs += form unless safe?
        pairs.each_with_object({}) do |(name, value), params|
          unknown(name, allowed) unless allowed.include?(name)
          key = name.to_sym
          bad("#{name}: not valid text") unless value.is_a?(String) && value.valid_encoding? && !value.include?("\0")
          next (params[key] ||= []) << value if LISTS.include?(name)

          bad("#{name} was given twice") if params.key?(key)
          params[key] = value
        end
      end

      private

      def decode(text)
        too_long(414) if text.bytesize > MAX_BYTES

        URI.decode_www_form(text)
      rescue ArgumentError
        bad("parameters are not URL-encoded")
      end

      def form
        body = env["rack.input"]&.read(MAX_BYTES + 1).to_s
        return parsed_form if body.empty?

        too_long(413) if body.bytesize > MAX_BYTES

        type = env["CONTENT_TYPE"].to_s.b[/\A[^;\s]+/]
        return decode(body) if type.nil? || type.casecmp?(FORM)

        raise Problem.new(415, "NotAForm", "parameters are accepted in the query or as #{FORM}")
      end

      # If a middleware has read the body, which cannot be read again on Rack 3, it left this.
      def parsed_form = env["rack.request.form_hash"].to_a

      def unknown(name, allowed)
        known = allowed.empty? ? "this route has none" : "known: #{allowed.join(", ")}"
        bad("unknown parameter #{name.inspect[0, 80]}; #{known}")
      end

      def too_long(status)
        raise Problem.new(status, "TooLong", "parameters are longer than #{MAX_BYTES} bytes")
      end

      def bad(message) = raise(UsageError, message)
    end
  end
end
