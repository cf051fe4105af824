# frozen_string_literal: true

module RuboCop
  module Cop
    module LeakHunter
      # Threads that are stored and never taken out again keep their locals; and what grows in a thread's variable lives
      # as long as the thread, which in a server is as long as the process.
      #
      # @example
      #   # bad
      #   def track(event) = (Thread.current[:events] ||= []) << event
      #
      #   # good
      #   def with_events
      #     Thread.current[:events] = []
      #     yield
      #   ensure
      #     Thread.current[:events] = nil
      #   end
      class ThreadRetention < Base
        include LongLivedRoots

        STORED = "Threads are stored in `%<name>s`, and nothing in this file takes them out again."
        VARIABLE = "A thread of a pool keeps its variables, and this one grows. Clear it at the end of the request " \
                   "or job."

        ENDLESS = "A thread that never ends is started at each call, and nothing in this file stops it."

        # @!method variable(node)
        def_node_matcher :variable, <<~PATTERN
          (send (const {nil? cbase} {:Thread :Fiber}) :current)
        PATTERN

        def on_new_investigation
          long_lived_roots.each_value do |root|
            next if root.shrinks

            stored = root.growth.find { |node| node.each_node(:block).any? { |block| thread?(block) } } or next
            add_offense(stored, message: format(STORED, name: root.name))
          end
        end

        def on_block(node)
          return unless thread?(node) && in_any_method?(node) && endless?(node) && !handled?(node)

          add_offense(node.send_node, message: ENDLESS)
        end

        def on_send(node)
          return unless GROWS.include?(node.method_name) && in_any_method?(node)

          receiver = node.receiver
          receiver = receiver.children.first if receiver&.begin_type?
          return unless receiver && of_thread?(receiver) && !cleared?

          add_offense(node, message: VARIABLE)
        end

        private

        # `loop { … }` or `while true` that nothing leaves
        def endless?(block)
          body = block.body or return false
          loops = body.each_node(:block).any? { |it| it.method?(:loop) } ||
                  body.each_node(:while).any? { |it| it.condition.true_type? }
          loops && body.each_node(:break, :return).none?
        end

        # Whether it is stopped, or there is only one.
        def handled?(block)
          once?(block) || processed_source.ast.each_node(:send).any? do |call|
            %i[kill exit terminate join].include?(call.method_name) && call.receiver
          end
        end

        def thread?(block) = block.send_node.source.match?(/\A(?:::)?Thread\.(?:new|start|fork)/)

        # `Thread.current[:x]`, or that with `||=`
        def of_thread?(node)
          node = node.children.first if node.or_asgn_type?
          %i[send index].include?(node.type) && !variable(node.children.first).nil?
        end

        def cleared?
          processed_source.ast.each_node(:send).any? do |call|
            call.method?(:[]=) && variable(call.receiver) && in_any_method?(call)
          end
        end
      end
    end
  end
end
