# frozen_string_literal: true

require "uri"
require "leak_hunter/web/accept"
require "leak_hunter/web/problem"

module LeakHunter
  class Web
    # What a Rack environment says.
    class Request
      SAFE = %w[GET HEAD].freeze
      DEFAULT_PORTS = { "http" => ":80", "https" => ":443" }.freeze
      FORM = "application/x-www-form-urlencoded"
      MAX_BYTES = 8192

      # Parameters that may come more than once.
      LISTS = %w[only ignore].freeze

      # @return [Hash]
      attr_reader :env

      def initialize(env)
        @env = env
      end

      # @return [String]
      def method = env["REQUEST_METHOD"]

      def head? = method == "HEAD"

      # @return [String] the method by which a route is found: HEAD is GET without the body
      def verb = head? ? "GET" : method

      # @return [Boolean] whether it asks for nothing but an answer
      def safe? = SAFE.include?(method)

      # @return [String] below the place where the endpoint is mounted; "" for that place itself
      def path = env["PATH_INFO"].to_s.chomp("/")

      # @return [String] path on this server of what is at `path` below the mount
      def url(path) = "#{env["SCRIPT_NAME"]}#{path}".force_encoding(Encoding::UTF_8).scrub("?")

      # @return [String, nil]
      def header(name) = env["HTTP_#{name}"]

      # @return [String, nil] the token the request brings
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
      # @raise [UsageError, Problem] for what is not allowed, comes twice or is too long
      def params(allowed)
        pairs = decode(env["QUERY_STRING"].to_s)
        pairs += form unless safe?
        pairs.each_with_object({}) do |(name, value), params|
          unknown(name, allowed) unless allowed.include?(name)
          key = name.to_sym
          bad("#{name}: not a text") unless value.is_a?(String) && value.valid_encoding? && !value.include?("\0")
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
        bad("the parameters are not URL-encoded")
      end

      def form
        body = env["rack.input"]&.read(MAX_BYTES + 1).to_s
        return parsed_form if body.empty?

        too_long(413) if body.bytesize > MAX_BYTES

        type = env["CONTENT_TYPE"].to_s.b[/\A[^;\s]+/]
        return decode(body) if type.nil? || type.casecmp?(FORM)

        raise Problem.new(415, "NotAForm", "parameters come in the query or as #{FORM}")
      end

      # Another middleware may have read the body, which cannot be read again on Rack 3; then it left this.
      def parsed_form = env["rack.request.form_hash"].to_a

      def unknown(name, allowed)
        known = allowed.empty? ? "none is taken" : "there are #{allowed.join(", ")}"
        bad("there is no parameter #{name.inspect[0, 80]} here; #{known}")
      end

      def too_long(status)
        raise Problem.new(status, "TooLong", "the parameters have more than #{MAX_BYTES} bytes")
      end

      def bad(message) = raise(UsageError, message)
    end
  end
end
