# frozen_string_literal: true

require "leak_hunter/core_methods"

module LeakHunter
  module EdgeNames
    # Classes and modules.
    module Modules
      SUPERCLASS = Class.instance_method(:superclass)
      ANCESTORS = Module.instance_method(:ancestors)
      IS_CLASS_OF = Module.instance_method(:===)
      METHODS = [Module.instance_method(:instance_methods), Module.instance_method(:private_instance_methods)].freeze
      INSTANCE_METHOD = Module.instance_method(:instance_method)
      PROC_LOCATION = Proc.instance_method(:source_location)
      METHOD_LOCATION = UnboundMethod.instance_method(:source_location)
      CONSTANT = /\A[[:upper:]][[:alnum:]_]*\z/
      # Names of methods that are told of a block that made several.
      SAMPLES = 3

      private_constant :SUPERCLASS, :ANCESTORS, :IS_CLASS_OF, :METHODS, :INSTANCE_METHOD, :PROC_LOCATION,
                       :METHOD_LOCATION, :CONSTANT, :SAMPLES

      module_function

      def name(parent, search)
        case parent
        when Module
          class_variable(parent, search) || constant(parent, search) || attached(parent, search) ||
            related(parent, search) || method_of(parent, search) || private_constant_of(parent, search)
        end
      end

      def class_variable(parent, search)
        found = search.name(CoreMethods::CLASS_VARIABLES.bind_call(parent, false)) do |name|
          CoreMethods::CLASS_VARIABLE_GET.bind_call(parent, name)
        rescue RuntimeError
          nil # taken over by a superclass
        end
        ["class_variable", found.name] if found
      end

      def constant(parent, search, names = CoreMethods::CONSTANTS.bind_call(parent, false))
        names.each do |name|
          CoreMethods.constant(parent, name) { |value| return ["constant", name.name] if search.here?(value) }
        end
        nil
      end

      # Ruby does not list them: all names that the process knows are tried.
      def private_constant_of(parent, search) = constant(parent, search, Symbol.all_symbols.grep(CONSTANT))

      # Ruby before 3.2 has no `attached_object`. But its object is the one instance of a singleton class, but for the
      # subclasses of a class.
      def attached(parent, search)
        return unless CoreMethods::SINGLETON_CLASS.bind_call(parent) && IS_CLASS_OF.bind_call(parent, search.child)

        %w[attached_object attached_object]
      end

      def related(parent, search)
        case search.child
        when Module
          case parent
          when Class then return %w[superclass superclass] if search.here?(SUPERCLASS.bind_call(parent))
          end
          %w[included_module included_module] if ANCESTORS.bind_call(parent).drop(1).any? { |mod| search.here?(mod) }
        end
      end

      # A block that became a method starts at the same place as the method.
      def method_of(parent, search)
        case (child = search.child)
        when Proc
          location = PROC_LOCATION.bind_call(child) or return
          names = METHODS.flat_map { |list| list.bind_call(parent, false) }.select do |name|
            METHOD_LOCATION.bind_call(INSTANCE_METHOD.bind_call(parent, name)) == location
          end
          ["method", names.sort.first(SAMPLES).join("|")] unless names.empty?
        end
      end
      private_class_method :class_variable, :constant, :private_constant_of, :attached, :related, :method_of
    end
  end
end
