# frozen_string_literal: true

require "leak_hunter/web/actions/diff"
require "leak_hunter/web/actions/dumps"
require "leak_hunter/web/actions/index"
require "leak_hunter/web/actions/status"

module LeakHunter
  class Web
    # Finds the action for a request.
    module Routes
      # An action and its parameters.
      class Route
        def initialize(actions, name, params = [])
          @actions = actions
          @name = name
          @params = params
          freeze
        end

        # @return [Reply]
        def call(request, settings, **captures)
          @actions.new(request, settings, request.params(@params)).public_send(@name, **captures)
        end
      end

      TABLE = {
        /\A\z/ => { "GET" => Route.new(Actions::Index, :show) },
        %r{\A/status\z} => { "GET" => Route.new(Actions::Status, :show) },
        %r{\A/dumps\z} => { "GET" => Route.new(Actions::Dumps, :list),
                            "POST" => Route.new(Actions::Dumps, :create, Actions::Dumps::OPTIONS) },
        %r{\A/dumps/(?<id>[^/]+)\z} => { "GET" => Route.new(Actions::Dumps, :show),
                                         "DELETE" => Route.new(Actions::Dumps, :delete) },
        %r{\A/dumps/(?<id>[^/]+)/download\z} => { "GET" => Route.new(Actions::Dumps, :download) },
        %r{\A/diff\z} => { "GET" => Route.new(Actions::Diff, :show, Actions::Diff::PARAMS) }
      }.freeze

      module_function

      # @return [Reply]
      # @raise [Problem] for an unknown path, or a method that it does not have
      def call(request, settings)
        path = request.path.b
        TABLE.each do |pattern, methods|
          next unless (match = pattern.match(path))

          route = methods[request.verb] || refuse(methods.keys)
          return route.call(request, settings, **match.named_captures.transform_keys(&:to_sym))
        end
        raise Problem.new(404, "NoSuchPath", "no such path; GET #{request.url("/")} lists the routes")
      end

      def refuse(methods)
        allow = methods.flat_map { |method| method == "GET" ? %w[GET HEAD] : method }.join(", ")
        raise Problem.new(405, "MethodNotAllowed", "method not allowed; allowed: #{allow}", { "allow" => allow })
      end
    end
  end
end
