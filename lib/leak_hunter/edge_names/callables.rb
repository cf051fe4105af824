# frozen_string_literal: true

require "leak_hunter/core_methods"
require "objspace"

module LeakHunter
  module EdgeNames
    # Blocks with the variables they have captured, method objects, and enumerators.
    module Callables
      BINDING = Proc.instance_method(:binding)
      LOCALS = Binding.instance_method(:local_variables)
      LOCAL_GET = Binding.instance_method(:local_variable_get)
      SELF = Binding.instance_method(:receiver)
      RECEIVER = Method.instance_method(:receiver)
      OWNERS = { Method => Method, UnboundMethod => UnboundMethod }
               .transform_values { |type| type.instance_method(:owner) }.freeze
      CLASS = Kernel.instance_method(:class)

      private_constant :BINDING, :LOCALS, :LOCAL_GET, :SELF, :RECEIVER, :OWNERS, :CLASS

      module_function

      def name(parent, search)
        case parent
        when Proc then captured(BINDING.bind_call(parent), search)
        when Binding then captured(parent, search)
        when Method
          search.here?(RECEIVER.bind_call(parent)) ? %w[receiver receiver] : owner(Method, parent, search)
        when UnboundMethod then owner(UnboundMethod, parent, search)
        when Enumerator then enumerator(parent, search)
        when Enumerator::Generator then block(search)
        end
      end

      def captured(binding, search)
        found = search.name(LOCALS.bind_call(binding)) { |name| LOCAL_GET.bind_call(binding, name) }
        return ["local", found.name] if found

        %w[self self] if search.here?(SELF.bind_call(binding))
      end

      def owner(type, parent, search)
        %w[owner owner] if search.here?(OWNERS[type].bind_call(parent))
      end

      # No method tells its receiver. The VM visits it before the arguments.
      def enumerator(parent, search)
        type = CLASS.bind_call(parent)
        first = ObjectSpace.reachable_objects_from(parent).find { |object| !CoreMethods::EQUAL.bind_call(type, object) }
        %w[enumerator_receiver receiver] if search.here?(first)
      end

      # It holds nothing else.
      def block(search)
        case search.child
        when Proc then %w[block block]
        end
      end
      private_class_method :block, :captured, :owner, :enumerator
    end
  end
end
