# frozen_string_literal: true

require "leak_hunter"

module LeakHunter
  # Puts {Web} at a path in front of an application:
  #
  #   use LeakHunter::Middleware, path: "/leaks"
  #   use LeakHunter::Middleware, path: "/leaks", authorize: ->(env) { … }
  #
  # Other requests cost one comparison of the path and no allocation. Requests that are not authorized get what the
  # application has at that path. If `authorize` uses a session, this middleware belongs after the session's.
  class Middleware
    PATH = %r{\A(?:/[A-Za-z0-9._~-]+)+\z}

    # @param app [#call]
    # @param path [String]
    # @param settings [Hash{Symbol => Object}] see {Web#initialize}
    def initialize(app, path: "/leaks", **settings)
      unless path.is_a?(String) && PATH.match?(path.b)
        raise UsageError, "path: expected a path such as \"/leaks\", got #{Arguments.show(path)}"
      end

      @app = app
      @path = path.b.freeze
      @web = Web.new(**settings)
      freeze
    end

    # @param env [Hash] the Rack environment
    # @return [Array] status, headers, body
    def call(env)
      path = env["PATH_INFO"]
      return @app.call(env) unless path&.start_with?(@path) && ours?(path)

      response = @web.call(env.merge("SCRIPT_NAME" => "#{env["SCRIPT_NAME"]}#{@path}",
                                     "PATH_INFO" => path.byteslice(@path.bytesize..)))
      response[1]["x-cascade"] == "pass" ? @app.call(env) : response
    end

    private

    SLASH = "/".ord
    private_constant :SLASH

    # "/leaksmith" is the application's.
    def ours?(path) = path.bytesize == @path.bytesize || path.getbyte(@path.bytesize) == SLASH
  end
end
