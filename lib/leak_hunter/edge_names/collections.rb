# frozen_string_literal: true

require "leak_hunter/core_methods"

module LeakHunter
  module EdgeNames
    # Arrays, Structs, Data, Ranges, Sets and Queues.
    module Collections
      MEMBERS = Struct.instance_method(:members)
      VALUES = Struct.instance_method(:to_a)
      # The class Data of Ruby >= 3.2; before, it was another one.
      DATA = (Data if RUBY_VERSION.to_f >= 3.2)
      DATA_TO_H = DATA&.instance_method(:to_h)
      BEGIN_OF = Range.instance_method(:begin)
      END_OF = Range.instance_method(:end)
      KEYS = Hash.instance_method(:keys)

      private_constant :MEMBERS, :VALUES, :DATA, :DATA_TO_H, :BEGIN_OF, :END_OF, :KEYS

      module_function

      # A Queue does not show what is in it; what it refers to is.
      def name(parent, search)
        case parent
        when Array then array(parent, search)
        when Struct then member(MEMBERS.bind_call(parent), VALUES.bind_call(parent), search)
        when Range then range(parent, search)
        when Thread::Queue then %w[queue_element element] unless in_class?(parent, search)
        when *DATA then DATA_TO_H.bind_call(parent).then { |hash| member(hash.keys, hash.values, search) }
        else set(parent, search)
        end
      end

      def array(parent, search)
        index = search.index(parent)
        ["array_element", "[#{index}]"] if index
      end

      def member(names, values, search)
        index = search.index(values)
        ["struct_member", ".#{names[index]}"] if index
      end

      def range(parent, search)
        return %w[range_begin begin] if search.here?(BEGIN_OF.bind_call(parent))

        %w[range_end end] if search.here?(END_OF.bind_call(parent))
      end

      # Ruby loads Set when its name is first used. Up to 3.4 it is a Hash in an instance variable.
      def set(parent, search)
        type = nil
        CoreMethods.constant(Object, :Set) { |value| type = value }
        case parent
        when *type
          hash = CoreMethods::INSTANCE_VARIABLE_GET.bind_call(parent, :@hash)
          elements = hash ? KEYS.bind_call(hash) : type.instance_method(:to_a).bind_call(parent)
          %w[set_element element] if search.index(elements)
        end
      end

      def in_class?(parent, search) = AnyObject::Classes.name(parent, search)
      private_class_method :array, :member, :range, :set, :in_class?
    end
  end
end
