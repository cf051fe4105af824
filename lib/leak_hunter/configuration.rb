# frozen_string_literal: true

require "leak_hunter/working_directory"

module LeakHunter
  # The settings, checked when they are set:
  #
  #   LeakHunter.configure do |config|
  #     config.dir = "/var/tmp/dumps"
  #     config.authorize { |env| env["warden"].user&.admin? }
  #   end
  class Configuration
    DEFAULTS = {
      dir: nil,
      token: nil,
      authorize: nil,
      allow_download: false,
      max_dumps: 10,
      max_bytes: 5 * (1024**3),
      logger: nil
    }.freeze

    # Where {#token} comes from if it is not set.
    TOKEN_VARIABLE = "LEAK_HUNTER_TOKEN"
    MIN_TOKEN_BYTES = 32

    MAX_DUMPS = (1..1_000_000_000)
    MAX_BYTES = (1..(2**63) - 1)

    # @return [Boolean] whether {Web} offers dumps for download; with `values: :all` they hold every string
    attr_reader :allow_download
    alias allow_download? allow_download

    # @return [Integer] how many dumps {Web} keeps
    attr_reader :max_dumps

    # @return [Integer] how many bytes of dumps {Web} keeps
    attr_reader :max_bytes

    # @param settings [Hash{Symbol => Object}] any of {DEFAULTS}
    def initialize(**settings)
      Arguments.refuse_unknown(settings, DEFAULTS.keys)
      DEFAULTS.merge(settings).each { |name, value| public_send(:"#{name}=", value) }
    end

    # @return [String] the directory for dumps; unless set, tmp/leak_hunter in Rails' root or the working directory
    # @raise [UsageError] when there is no such place, since the working directory was deleted
    def dir
      @dir || default_dir or
        raise UsageError, "the working directory of this process was deleted, so there is no default directory for " \
                          "dumps; set LeakHunter.configuration.dir or give dir:"
    end

    # @param dir [String, #to_path, nil]
    def dir=(dir)
      @dir = dir && WorkingDirectory.expand(dir, "dir")
    end

    # The secret that authorizes requests to {Web}; unless set, the value of the environment variable LEAK_HUNTER_TOKEN.
    #
    # @return [String, nil]
    # @raise [UsageError] if that of the variable is too weak
    def token = @token || environment_token

    # @param token [String, nil] at least 32 printable ASCII characters without spaces
    def token=(token)
      @token = token && check_token(token, "token")
    end

    # With a block, sets the block that authorizes requests to {Web}; without one, returns it.
    #
    # @yieldparam env [Hash] the Rack environment
    # @yieldreturn [Boolean]
    # @return [#call, nil]
    def authorize(&block)
      @authorize = block if block
      @authorize
    end

    # @param callable [#call, nil]
    def authorize=(callable)
      @authorize = Arguments.callable(:authorize, callable)
    end

    # @param value [Boolean]
    def allow_download=(value)
      @allow_download = Arguments.boolean(:allow_download, value)
    end

    # @param value [Integer]
    def max_dumps=(value)
      @max_dumps = Arguments.integer(:max_dumps, value, MAX_DUMPS)
    end

    # @param value [Integer]
    def max_bytes=(value)
      @max_bytes = Arguments.integer(:max_bytes, value, MAX_BYTES)
    end

    # @return [Logger, nil] unless set, Rails' logger where there is one
    def logger = @logger || (::Rails.logger if defined?(::Rails.logger))

    # @param logger [#warn, #info, nil]
    def logger=(logger)
      unless nil.equal?(logger) || %i[warn info].all? { |method| Arguments.responds?(logger, method) }
        raise UsageError, "logger: expected an object with warn and info, got #{Arguments.show(logger)}"
      end

      @logger = logger
    end

    # Shows neither the token nor the logger.
    def inspect = "#<#{self.class} dir=#{(@dir || default_dir).inspect} max_dumps=#{max_dumps} max_bytes=#{max_bytes}>"

    private

    def default_dir
      root = (::Rails.root if defined?(::Rails.root)) || WorkingDirectory.path
      root && File.join(root.to_s, "tmp", "leak_hunter")
    end

    def environment_token
      token = ENV.fetch(TOKEN_VARIABLE, "")
      check_token(token, "the environment variable #{TOKEN_VARIABLE}") unless token.empty?
    end

    # The message does not show the token.
    def check_token(token, name)
      return token.dup.freeze if token.is_a?(String) && token.b.match?(/\A[!-~]{#{MIN_TOKEN_BYTES},}\z/o)

      raise UsageError, "#{name} must be a string of at least #{MIN_TOKEN_BYTES} printable ASCII characters without " \
                        "spaces, for example from: openssl rand -hex 32"
    end
  end
end
