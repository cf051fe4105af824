# frozen_string_literal: true

module RuboCop
  module Cop
    module LeakHunter
      # A Hash that lives as long as the process stores whatever it is asked for.
      #
      # @example
      #   # bad
      #   RATES = Hash.new { |rates, day| rates[day] = fetch(day) }
      #
      #   # good
      #   RATES = Hash.new { |rates, day| rates.shift if rates.size > 100; rates[day] = fetch(day) }
      class GrowingHashDefault < Base
        include LongLivedRoots

        MSG = "`%<name>s` stores each key that it is ever asked for. Limit its size, or do not store."

        # @!method storing_default?(node)
        def_node_matcher :storing_default?, <<~PATTERN
          (block (send (const {nil? cbase} :Hash) :new ...) (args (arg $_) (arg _)) $_)
        PATTERN

        def on_new_investigation
          long_lived_roots.each_value do |root|
            next if root.shrinks

            value = root.assigned.find { |it| stores?(it) } or next
            next if only_few_keys?(value)

            add_offense(value, message: format(MSG, name: root.name))
          end
        end

        private

        # Whether all keys that the file asks for are written down, or classes.
        def only_few_keys?(value)
          key = root_of(value.parent)
          reads = processed_source.ast.each_node(:send, :index).select do |node|
            (node.type == :index || node.method?(:[])) && root_of(node.children.first) == key
          end
          reads.any? && reads.none? { |read| dynamic?(read.children.last) }
        end

        def stores?(value)
          storing_default?(value) do |hash, body|
            return false unless body

            calls = body.each_node(:send, :op_asgn, :or_asgn).to_a
            return calls.any? { |call| stores_in?(call, hash) } && calls.none? { |call| removes?(call, hash) }
          end
          false
        end

        def stores_in?(call, hash)
          return call.children.first.children.first&.source == hash.to_s unless call.send_type?

          (call.method?(:[]=) || call.method?(:store)) && call.receiver&.source == hash.to_s
        end

        def removes?(call, hash)
          call.send_type? && SHRINKS.include?(call.method_name) && call.receiver&.source == hash.to_s
        end
      end
    end
  end
end
