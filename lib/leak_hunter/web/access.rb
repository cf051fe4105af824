# frozen_string_literal: true

require "digest/sha2"
require "leak_hunter/core_methods"
require "leak_hunter/web/problem"

module LeakHunter
  class Web
    # Who is authorized; see {Web}.
    class Access
      NOT_CONFIGURED = "neither a token nor authorize is set. Set the environment variable " \
                       "#{Configuration::TOKEN_VARIABLE} (openssl rand -hex 32), or call " \
                       "LeakHunter.configure { |config| config.authorize { |env| ... } }".freeze

      @told = {}
      @mutex = Mutex.new

      # @return [Boolean] whether this is the first time in this process
      def self.first_time?(reason)
        # leak_hunter:disable LeakHunter/UnboundedMemo -- reasons are a few texts of ours
        @mutex.synchronize { !@told.key?(reason) && (@told[reason] = true) }
        # leak_hunter:enable LeakHunter/UnboundedMemo
      end

      def initialize(settings)
        @settings = settings
        freeze
      end

      # What a broken `authorize` may raise. Anything else is meant for others: a server's timeout, a signal, an exit.
      REFUSED = [StandardError, ScriptError, SecurityError, SystemStackError, NoMemoryError].freeze

      # @return [Symbol, nil] what authorized the request: `:token` or `:authorize`
      def authorized_by(request)
        return :token if token?(request.bearer)
        return :authorize if authorized?(request.env)

        log_why_closed
        nil
      end

      # @raise [Problem] when the request may have been sent by a page of another site
      def check_origin(request)
        site = request.header("SEC_FETCH_SITE")
        origin = request.header("ORIGIN")
        return if site == "same-origin"
        return if site.nil? && origin && request.origin?(origin)

        raise Problem.new(403, "NotSameOrigin",
                          "#{request.method} without the token is accepted from pages of this server only, and the " \
                          "request does not say where it is from. A program sends the token, or the header " \
                          "\"origin: #{request.origin}\".")
      end

      # Logs, once in a process, why every request is refused: a 404 does not say.
      def log_why_closed
        reason = closed_because
        return unless reason && self.class.first_time?(reason)

        message = "LeakHunter::Web refuses every request with 404: #{reason}"
        @settings.logger ? log(message) : warn(message)
      end

      private

      def closed_because
        NOT_CONFIGURED unless @settings.token || @settings.authorize
      rescue UsageError => e
        "#{e.message}#{"; authorize still applies" if @settings.authorize}"
      end

      def token?(given)
        expected = usable_token
        return false unless given && expected

        # Constant time: of the digests all bytes are compared, and they reveal nothing of the token.
        pairs = Digest::SHA256.digest(given).bytes.zip(Digest::SHA256.digest(expected).bytes)
        pairs.reduce(0) { |difference, (one, other)| difference | (one ^ other) }.zero?
      end

      # The environment's may be too weak, which must neither authorize nor raise.
      def usable_token
        @settings.token
      rescue UsageError
        nil
      end

      def authorized?(env)
        @settings.authorize&.call(env)
      rescue *REFUSED => e
        log("LeakHunter::Web: authorize raised #{class_name(e)}, so the request was refused")
        false
      end

      # Whatever the application has made of its exceptions.
      def class_name(error) = CoreMethods::MODULE_NAME.bind_call(CoreMethods::CLASS.bind_call(error))

      # The answer does not depend on a logger.
      def log(message)
        @settings.logger&.warn(message)
      rescue *REFUSED
        nil
      end
    end
  end
end
