# frozen_string_literal: true

module RuboCop
  module Cop
    module LeakHunter
      # Where a node is: in a method, or in what runs once, when the file is loaded; and of which class.
      module Scopes
        private

        # @return [Boolean] whether it runs with each call of something
        def in_method?(node)
          node.each_ancestor(:def, :defs).any? { |method| !method.method?(:initialize) || in_singleton?(method) } ||
            in_defined_method?(node)
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
