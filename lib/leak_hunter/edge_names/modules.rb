# frozen_string_literal: true

require "leak_hunter/core_methods"

module LeakHunter
  module EdgeNames
    # Classes and modules.
    module Modules
      CONSTANT = /\A[[:upper:]][[:alnum:]_]*\z/
      # Methods that are named of a block that defines several.
      SAMPLES = 3

      # Where ActiveSupport's class_attribute has the blocks that return its values.
      ATTRIBUTE = %r{/active_support/(?:core_ext/class/attribute|class_attribute|core_ext/module/redefine_method)\.rb\z}

      # Names that are tried between two looks at the limit.
      SLICE = 256

      private_constant :CONSTANT, :SAMPLES, :ATTRIBUTE, :SLICE

      module_function

      def name(parent, search)
        return unless CoreMethods.a?(parent, Module)

        class_variable(parent, search) || constant(parent, search) || attached(parent, search) ||
          related(parent, search) || method_of(parent, search) || private_constant_of(parent, search)
      end

      def class_variable(parent, search)
        found = search.name(CoreMethods::CLASS_VARIABLES.bind_call(parent, false)) do |name|
          CoreMethods::CLASS_VARIABLE_GET.bind_call(parent, name)
        rescue RuntimeError
          nil # taken over by a superclass
        end
        ["class_variable", CoreMethods.name_of(found)] if found
      end

      def constant(parent, search, names = CoreMethods::CONSTANTS.bind_call(parent, false))
        names.each_slice(SLICE) do |slice|
          search.step(SLICE)
          CoreMethods.each_constant(parent, slice) do |name, value|
            return ["constant", CoreMethods.name_of(name)] if search.here?(value)
          end
        end
        nil
      end

      # Ruby does not list them: all names that the process knows are tried.
      def private_constant_of(parent, search)
        CoreMethods::SYMBOLS.call.each_slice(SLICE) do |slice|
          search.step(SLICE)
          found = constant(parent, search, slice.grep(CONSTANT)) and return found
        end
        nil
      end

      # Ruby before 3.2 has no `attached_object`. But its object is the one instance of a singleton class, but for the
      # subclasses of a class.
      def attached(parent, search)
        return unless CoreMethods::SINGLETON_CLASS.bind_call(parent) && CoreMethods.a?(search.child, parent)

        %w[attached_object attached_object]
      end

      def related(parent, search)
        return unless CoreMethods.a?(search.child, Module)

        if CoreMethods.a?(parent, Class) && search.here?(CoreMethods::SUPERCLASS.bind_call(parent))
          return %w[superclass superclass]
        end

        %w[included_module included_module] if search.index(CoreMethods::ANCESTORS.bind_call(parent).drop(1))
      end

      # A block that became a method starts at the same place as the method.
      def method_of(parent, search)
        child = search.child
        return unless CoreMethods.a?(child, Proc)

        location = CoreMethods::PROC_LOCATION.bind_call(child) or return
        names = CoreMethods::METHOD_LISTS.flat_map { |list| list.bind_call(parent, false) }.select do |name|
          search.step
          location == CoreMethods::METHOD_LOCATION.bind_call(CoreMethods::INSTANCE_METHOD.bind_call(parent, name))
        end
        return if names.empty?

        names = names.sort.map { |name| CoreMethods.name_of(name) }
        attribute = attribute(names, location.first)
        attribute ? ["class_attribute", attribute] : ["method", names.first(SAMPLES).join("|")]
      end

      # ActiveSupport defines a reader and a writer in the line that calls class_attribute, then the reader as a block.
      def attribute(names, file)
        base = names.find { |name| names.include?("#{name}=") }
        return base || names.first if ATTRIBUTE.match?(file)

        base if base && (names - ["#{base}=", "#{base}?"]).one?
      end
      private_class_method :class_variable, :constant, :private_constant_of, :attached, :related, :method_of, :attribute
    end
  end
end
