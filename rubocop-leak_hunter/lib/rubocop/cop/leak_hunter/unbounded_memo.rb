# frozen_string_literal: true

module RuboCop
  module Cop
    module LeakHunter
      # A memo of a class or a module has an entry for each key that ever came.
      #
      # @example
      #   # bad
      #   class Prices
      #     def self.quote(product, at)
      #       @quotes ||= {}
      #       @quotes[[product, at]] ||= compute(product, at)
      #     end
      #   end
      #
      #   # good: of each request or job
      #   class Prices
      #     def quote(product, at)
      #       @quotes ||= {}
      #       @quotes[[product, at]] ||= compute(product, at)
      #     end
      #   end
      class UnboundedMemo < Base
        include LongLivedRoots

        MSG = "`%<name>s` has an entry for each key that ever came. Limit its size, or clear it."

        STORES = %i[compute_if_absent put_if_absent fetch_or_store].freeze

        def on_new_investigation
          report_growth_without_end { |node| memo?(node) }
        end

        private

        def memo?(node)
          return STORES.include?(node.method_name) && dynamic?(node.first_argument) if node.call_type?
          return false unless node.or_asgn_type?

          variable, *keys = node.children.first.children.grep(AST::Node)
          keys.any? { |key| dynamic?(key) } && keys.none? { |key| checked?(node, key, variable) }
        end
      end
    end
  end
end
