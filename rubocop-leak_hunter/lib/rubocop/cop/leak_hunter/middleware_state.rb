# frozen_string_literal: true

module RuboCop
  module Cop
    module LeakHunter
      # There is one object of each middleware, for all requests. What its `call` adds to an instance variable stays.
      #
      # @example
      #   # bad
      #   def call(env)
      #     @paths << env["PATH_INFO"]
      #     @app.call(env)
      #   end
      #
      #   # good
      #   def call(env)
      #     @logger.info(env["PATH_INFO"])
      #     @app.call(env)
      #   end
      class MiddlewareState < Base
        include LongLivedRoots

        MSG = "There is one middleware for all requests: what `%<name>s` gets in each of them stays."

        # @!method calls_app?(node)
        def_node_search :calls_app?, "(send {ivar (send nil? :app)} :call ...)"

        def on_def(node)
          return unless node.method?(:call) && node.arguments.one? && calls_app?(node)

          scope = node.each_ancestor(:class).first || node
          node.each_descendant(:send, :or_asgn) do |call|
            variable = call.or_asgn_type? ? memo(call) : grown(call)
            add_offense(call, message: format(MSG, name: variable)) if variable && kept?(variable, scope)
          end
        end

        private

        # `@seen << …`, `@seen[path] = …`
        def grown(call)
          return unless call.receiver&.ivar_type?
          return call.receiver.source if call.method?(:[]=) && dynamic?(call.first_argument)

          call.receiver.source if (GROWS - %i[write puts print]).include?(call.method_name)
        end

        # `@seen[path] ||= …`
        def memo(call)
          target = call.children.first
          variable, *keys = target.children
          return unless variable.is_a?(AST::Node) && variable.ivar_type?

          variable.source if keys.any? { |key| key.is_a?(AST::Node) && dynamic?(key) }
        end

        # Whether it is a collection, and nothing is taken out of it.
        def kept?(variable, scope)
          values = scope.each_descendant(:ivasgn).select { |it| it.children.first.to_s == variable && it.children[1] }
          values.any? && values.all? { |it| collection?(it.children[1]) && !bounded?(it.children[1]) } &&
            values.all? { |it| it.each_ancestor(:def).first&.method?(:initialize) } &&
            scope.each_descendant(:send).none? do |call|
              SHRINKS.include?(call.method_name) && call.receiver&.source == variable
            end
        end
      end
    end
  end
end
