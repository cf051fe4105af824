# frozen_string_literal: true

module RuboCop
  module Cop
    module LeakHunter
      # Where a node is: in a method, or in what runs once, when the file is loaded; and of which class.
      module Scopes
        # Methods that Ruby calls once for each class or method that is loaded.
        HOOKS = %i[included extended inherited prepended method_added const_missing].freeze

        private

        # @return [Boolean] whether it runs with each call of something
        def in_method?(node)
          method = node.each_ancestor(:def, :defs).first or return in_defined_method?(node)
          !HOOKS.include?(method.method_name) && (!method.method?(:initialize) || in_singleton?(method))
        end

        # Whether it runs once: `@x ||= …`, `return if @installed`, `unless defined?(@x)`.
        def once?(node)
          return true if node.each_ancestor(:or_asgn).any?

          method = node.each_ancestor(:def, :defs).first or return false
          method.each_descendant(:if).any? do |guard|
            guard.condition.each_node(:ivar, :cvar, :gvar, :defined?).any? &&
              (guard.each_node(:return).any? || guard.each_descendant.any? { |inner| inner.equal?(node) })
          end
        end

        # Whether the method asks first whether a list that is written down has what a variable holds.
        def checked?(node, key, variable)
          return false unless key&.lvar_type?

          method = node.each_ancestor(:def, :defs).first or return false
          asked = method.each_descendant(:send).any? do |call|
            %i[include? key? member? fetch].include?(call.method_name) && call.receiver&.const_type? &&
              call.receiver != variable && call.first_argument == key
          end
          asked || method.each_descendant(:case).any? { |choice| choice.condition == key }
        end

        # @return [Boolean] in any method, `initialize` among them
        def in_any_method?(node) = node.each_ancestor(:def, :defs).any? || in_defined_method?(node)

        def in_defined_method?(node)
          node.each_ancestor(:block, :numblock).any? do |block|
            %i[define_method define_singleton_method].include?(block.method_name)
          end
        end

        def in_singleton?(node)
          node.defs_type? || node.each_ancestor(:defs, :sclass).any?
        end

        # Whether `self` there is a class or a module, so that an instance variable lives as long as it does.
        def self_is_class?(node)
          scope = node.each_ancestor(:def, :defs, :sclass, :class, :module).first
          return !scope.nil? && !scope.sclass_type? unless scope&.def_type?

          scope.each_ancestor(:sclass, :class, :module).first&.sclass_type? || function?(scope) ||
            in_block_of?(scope, :class_methods)
        end

        # `module_function` above a method.
        def function?(method)
          scope = method.each_ancestor(:module).first or return false
          scope.each_descendant(:send).any? do |call|
            call.method?(:module_function) && call.arguments.empty? &&
              call.source_range.begin_pos < method.source_range.begin_pos
          end
        end

        # @return [String] "Shop::Cart", or "" outside of all
        def namespace(node)
          node.each_ancestor(:class, :module).map { |scope| scope.identifier.const_name }.reverse.join("::")
        end

        def in_block_of?(node, *names)
          node.each_ancestor(:block).any? { |block| names.include?(block.method_name) }
        end
      end
    end
  end
end
