# frozen_string_literal: true

module RuboCop
  module Cop
    module LeakHunter
      # A class, a module or a method is made at each call. Ruby's caches and tables grow, and what keeps a list of
      # subclasses keeps each of them.
      #
      # @example
      #   # bad
      #   def row(values) = Struct.new(*values.keys).new(*values.values)
      #
      #   # good
      #   Row = Struct.new(:name, :price)
      #   def row(values) = Row.new(*values.values_at(:name, :price))
      class ClassPerCall < Base
        include Scopes

        MSG = "A %<what>s is made at each call. Make it once."

        MAKERS = { Class: "class", Module: "module", Struct: "class", Data: "class" }.freeze
        STORES = %i[const_set fetch compute_if_absent].freeze
        METHODS = %i[define_method define_singleton_method].freeze
        EVALS = %i[class_eval module_eval instance_eval].freeze
        RESTRICT_ON_SEND = [:new, :define, *METHODS, *EVALS].freeze
        # Methods that run once for each class that they are called for.
        MACROS = /\A(?:included|extended|inherited|prepended|method_missing|const_missing|method_added)\z|
                  \A(?:define|add|build|make|create)_/x

        def on_send(node)
          return unless in_method?(node) && !remembered?(node) && !macro?(node)

          what = what(node)
          add_offense(node, message: format(MSG, what:)) if what
        end

        private

        def what(node)
          case node.method_name
          when *METHODS then "method" if defined?(node)
          when *EVALS then "method" if node.first_argument&.dstr_type? && !self_is_class?(node)
          else made(node)
          end
        end

        def made(node)
          name = node.receiver&.const_type? && node.receiver.children.last
          return if node.method?(:define) != (name == :Data)

          MAKERS[name]
        end

        # On classes, macros define methods, once each; in methods of objects there are none.
        def defined?(node)
          return false unless node.receiver
          return !node.receiver.self_type? if node.method?(:define_singleton_method)

          node.receiver.source == "self.class"
        end

        # `@row ||= Struct.new(…)`, a constant
        def remembered?(node)
          node.each_ancestor(:or_asgn, :casgn).any? ||
            node.each_ancestor(:send, :block).any? { |call| STORES.include?(call.method_name) }
        end

        def macro?(node)
          method = node.each_ancestor(:def, :defs).first
          !method.nil? && method.method_name.match?(MACROS)
        end
      end
    end
  end
end
