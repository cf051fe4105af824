# frozen_string_literal: true

require "leak_hunter/core_methods"

module LeakHunter
  module EdgeNames
    # Arrays, Structs, Data, Ranges, Sets and Queues.
    module Collections
      module_function

      # A Queue does not show what is in it; what it refers to is.
      def name(parent, search)
        if CoreMethods.a?(parent, Array) then array(parent, search)
        elsif CoreMethods.a?(parent, Struct) then struct(parent, search)
        elsif CoreMethods.a?(parent, Range) then range(parent, search)
        elsif CoreMethods.a?(parent, Thread::Queue)
          %w[queue_element element] unless AnyObject::Classes.name(parent, search)
        elsif data?(parent) then data(parent, search)
        else
          set(parent, search)
        end
      end

      def array(parent, search)
        index = search.index(parent)
        ["array_element", "[#{index}]"] if index
      end

      def struct(parent, search)
        values = CoreMethods::STRUCT_VALUES.bind_call(parent)
        member(CoreMethods::STRUCT_MEMBERS.bind_call(parent), values, search)
      ensure
        values&.clear
      end

      def data?(parent) = CoreMethods::DATA_TO_H && CoreMethods.a?(parent, Data)

      def data(parent, search)
        members = CoreMethods::DATA_TO_H.bind_call(parent)
        member(members.keys, members.values, search)
      end

      def member(names, values, search)
        index = search.index(values)
        ["struct_member", ".#{CoreMethods.name_of(names[index])}"] if index
      end

      def range(parent, search)
        return %w[range_begin begin] if search.here?(CoreMethods::RANGE_BEGIN.bind_call(parent))

        %w[range_end end] if search.here?(CoreMethods::RANGE_END.bind_call(parent))
      end

      def set(parent, search)
        elements = elements_of_set(parent)
        %w[set_element element] if elements && search.index(elements)
      ensure
        elements&.clear
      end

      # Before Ruby 4.0, Set is loaded when its name is first used, and keeps its elements as the keys of a Hash.
      #
      # @return [Array, nil]
      def elements_of_set(parent)
        type = nil
        CoreMethods.each_constant(Object, [:Set]) { |_, value| type = value }
        return unless type && CoreMethods.a?(parent, type)
        return CoreMethods::SET_ELEMENTS.bind_call(parent) if CoreMethods::SET_ELEMENTS

        CoreMethods::HASH_KEYS.bind_call(CoreMethods::INSTANCE_VARIABLE_GET.bind_call(parent, :@hash))
      end
      private_class_method :array, :struct, :data?, :data, :member, :range, :set, :elements_of_set
    end
  end
end
