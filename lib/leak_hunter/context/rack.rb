# frozen_string_literal: true

require "leak_hunter"

module LeakHunter
  module Context
    # Rack middleware: what a request allocates is reported with its endpoint.
    #
    #   use LeakHunter::Context::Rack
    #   use LeakHunter::Context::Rack, name: ->(env) { … }
    #
    # Rack knows no routes, and a path has data in it. So without a name of yours the context is the request's method,
    # "GET", until something that knows the route says more: leak_hunter/context/rails does.
    class Rack
      # Of HTTP, as far as servers hand them on.
      METHODS = %w[GET HEAD POST PUT PATCH DELETE OPTIONS].to_h { |name| [name, name] }.freeze
      private_constant :METHODS

      # @param app [#call]
      # @param name [#call, nil] gets the environment of Rack, returns the name, one of some dozens; nil is no name
      def initialize(app, name: nil)
        @app = app
        @name = Arguments.callable(:name, name)
        freeze
      end

      # @param env [Hash] the Rack environment
      # @return [Array] status, headers, body
      def call(env)
        name = @name&.call(env) || METHODS.fetch(env["REQUEST_METHOD"], "request")
        LeakHunter.context(name) { @app.call(env) }
      end
    end
  end
end
