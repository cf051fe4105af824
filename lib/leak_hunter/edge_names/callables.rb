# frozen_string_literal: true

require "leak_hunter/core_methods"

module LeakHunter
  module EdgeNames
    # Blocks with the variables they have captured, method objects, and enumerators.
    module Callables
      module_function

      def name(parent, search)
        if CoreMethods.a?(parent, Proc) then captured(CoreMethods::BINDING.bind_call(parent), search)
        elsif CoreMethods.a?(parent, Binding) then captured(parent, search)
        elsif CoreMethods.a?(parent, Method) then method(parent, search)
        elsif CoreMethods.a?(parent, UnboundMethod)
          owner(CoreMethods::UNBOUND_METHOD_OWNER.bind_call(parent), search)
        elsif CoreMethods.a?(parent, Enumerator) then enumerator(parent, search)
        elsif CoreMethods.a?(parent, Enumerator::Generator) then block(search)
        end
      end

      def captured(binding, search)
        names = CoreMethods::LOCALS.bind_call(binding)
        found = search.name(names) { |name| CoreMethods::LOCAL_GET.bind_call(binding, name) }
        return ["local", CoreMethods.name_of(found)] if found

        %w[self self] if search.here?(CoreMethods::SELF.bind_call(binding))
      end

      def method(parent, search)
        return %w[receiver receiver] if search.here?(CoreMethods::METHOD_RECEIVER.bind_call(parent))

        owner(CoreMethods::METHOD_OWNER.bind_call(parent), search)
      end

      def owner(mod, search)
        %w[owner owner] if search.here?(mod)
      end

      # No method returns its receiver. The VM visits it before the arguments, and behind the class.
      def enumerator(parent, search)
        first = CoreMethods::REFERENCES.call(parent).find do |object|
          !(CoreMethods.a?(object, Class) && CoreMethods.a?(parent, object))
        end
        %w[enumerator_receiver receiver] if search.here?(first)
      end

      # It holds nothing else.
      def block(search)
        %w[block block] if CoreMethods.a?(search.child, Proc)
      end
      private_class_method :block, :captured, :method, :owner, :enumerator
    end
  end
end
