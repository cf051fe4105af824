# frozen_string_literal: true

module RuboCop
  module Cop
    module LeakHunter
      # A text or a queue that lives as long as the process is written to with each call, and nothing in this file
      # empties it; or a test double that keeps what it is given is switched on.
      #
      # @example
      #   # bad
      #   LOG = StringIO.new
      #   def self.note(text) = LOG.puts(text)
      #
      #   # good
      #   LOG = Logger.new($stdout)
      #   def self.note(text) = LOG.info(text)
      class LongLivedBuffer < Base
        include LongLivedRoots

        MSG = "`%<name>s` lives as long as the process, and only gets longer."
        DOUBLE = "This keeps every job or mail in memory. It is meant for tests."

        # @!method buffer?(node)
        def_node_matcher :buffer?, <<~PATTERN
          {(send (const _ {:StringIO :Queue}) :new ...) (send (const {nil? cbase} :String) :new ...)
           (send (str _) :+@) (send (str _) :dup)}
        PATTERN

        # @!method double?(node)
        def_node_matcher :double?, <<~PATTERN
          {(send (const (const {nil? cbase} :Sidekiq) :Testing) :fake!)
           (send _ :queue_adapter= (sym :test))
           (send _ :delivery_method= (sym :test))}
        PATTERN

        RESTRICT_ON_SEND = %i[fake! queue_adapter= delivery_method=].freeze

        def on_new_investigation
          long_lived_roots.each_value do |root|
            next if root.shrinks || root.assigned.none? || !root.assigned.all? { |value| buffer?(value) }

            growth = root.growth.first or next
            add_offense(growth, message: format(MSG, name: root.name))
          end
        end

        def on_send(node)
          add_offense(node, message: DOUBLE) if double?(node)
        end
      end
    end
  end
end
