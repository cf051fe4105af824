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

        LAST = "There is one middleware for all requests: `%<name>s` keeps the last one, and others see it."

        # @!method calls_app?(node)
        def_node_search :calls_app?, "(send {ivar (send nil? :app)} :call ...)"

        def on_def(node)
          return unless node.method?(:call) && node.arguments.one? && calls_app?(node)

          scope = node.each_ancestor(:class).first || node
          node.each_descendant(:send, :or_asgn, :op_asgn) do |call|
            variable = call.send_type? ? grown(call) : memo(call)
            add_offense(call, message: format(MSG, name: variable)) if variable && kept?(variable, scope)
          end
          node.each_descendant(:ivasgn) { |assignment| request(assignment, node) }
        end

        private

        # `@seen << …`, `@seen[path] = …`
        def grown(call)
          return unless call.receiver&.ivar_type?
          return call.receiver.source if call.method?(:[]=) && dynamic?(call.first_argument)

          call.receiver.source if (GROWS - %i[write puts print]).include?(call.method_name)
        end

        # `@request = Rack::Request.new(env)`, `@status, @headers, @body = @app.call(env)`: of the last request, and of
        # others that run at the same time.
        def request(assignment, method)
          value = assignment.children[1]
          return unless value&.each_node(:lvar)&.any? { |it| it.children.first == method.first_argument.name }
          return if value.send_type? && value.method?(:[])
          return if method.each_descendant(:ivasgn).any? { |it| cleared?(it, assignment) }

          add_offense(assignment, message: format(LAST, name: assignment.children.first))
        end

        # `@request = nil`
        def cleared?(other, assignment)
          other.children.first == assignment.children.first && other.children[1]&.nil_type?
        end

        # `@seen[path] ||= …`, `@hits[path] += 1`
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
