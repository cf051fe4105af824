# frozen_string_literal: true

module RuboCop
  module Cop
    module LeakHunter
      # A collection that lives as long as the process gets longer with each call, and nothing in this file takes
      # anything out of it.
      #
      # @example
      #   # bad
      #   class Audit
      #     EVENTS = []
      #     def self.record(event) = EVENTS << event
      #   end
      #
      #   # good
      #   class Audit
      #     EVENTS = []
      #     def self.record(event)
      #       EVENTS << event
      #       EVENTS.shift if EVENTS.size > 1_000
      #     end
      #   end
      class UnboundedCollection < Base
        include LongLivedRoots

        MSG = "`%<name>s` lives as long as the process, and only grows. Limit its size, or take out what is done with."

        def on_new_investigation
          report_growth_without_end { |node| grows?(node) }
        end

        private

        # With a fixed key there is one entry; with memos UnboundedMemo deals.
        def grows?(node)
          return false if node.or_asgn_type? || (node.call_type? && UnboundedMemo::STORES.include?(node.method_name))

          keyed = node.method?(:[]=) || node.method?(:store) if node.send_type?
          !keyed || (dynamic?(node.first_argument) && !checked?(node, node.first_argument, node.receiver))
        end
      end
    end
  end
end
