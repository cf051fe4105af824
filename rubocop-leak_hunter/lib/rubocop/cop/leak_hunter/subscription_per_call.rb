# frozen_string_literal: true

module RuboCop
  module Cop
    module LeakHunter
      # A subscriber, a hook or a finalizer is added at each call. Each keeps its block, and the block its locals.
      #
      # @example
      #   # bad
      #   def call(env)
      #     ActiveSupport::Notifications.subscribe("sql.active_record") { |event| log(event, env) }
      #   end
      #
      #   # good
      #   def call(env)
      #     log = ->(event) { log(event, env) }
      #     ActiveSupport::Notifications.subscribed(log, "sql.active_record") { @app.call(env) }
      #   end
      class SubscriptionPerCall < Base
        include Scopes

        MSG = "`%<name>s` adds a block at each call, and nothing in this file removes it."
        FINALIZER = "This finalizer's block keeps the object itself, which therefore never dies. Make the block in a " \
                    "class method."

        RESTRICT_ON_SEND = %i[subscribe monotonic_subscribe at_exit add_observer on_load define_finalizer
                              set_callback trace].freeze
        REMOVES = %i[unsubscribe delete_observer delete_observers undefine_finalizer].freeze

        def on_send(node)
          return finalizer(node) if node.method?(:define_finalizer)
          return unless in_any_method?(node) && adds?(node) && !removed? && !once?(node)

          add_offense(node, message: format(MSG, name: node.method_name))
        end

        private

        def adds?(node)
          case node.method_name
          when :at_exit then node.receiver.nil? || node.receiver.const_type?
          when :set_callback then node.receiver.nil? || node.receiver.source == "self.class"
          when :trace then node.receiver&.source.to_s.match?(/\A(?:::)?TracePoint\z/)
          when :subscribe, :monotonic_subscribe, :on_load
            node.receiver&.const_type? && node.receiver.source.match?(/Notifications|ActiveSupport/)
          when :add_observer then node.arguments.any?
          end
        end

        def removed?
          processed_source.ast.each_node(:send).any? { |call| REMOVES.include?(call.method_name) }
        end

        # A block that is written in an instance method has `self`.
        def finalizer(node)
          block = node.arguments[1]
          return unless block&.block_type? && node.first_argument.self_type?
          return unless node.each_ancestor(:def, :defs).first&.def_type?

          add_offense(node, message: FINALIZER)
        end
      end
    end
  end
end
