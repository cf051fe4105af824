# frozen_string_literal: true

require "leak_hunter/core_methods"

module LeakHunter
  module EdgeNames
    # What an object of any class can refer to.
    module AnyObject
      # Instance variables.
      module InstanceVariables
        def self.name(parent, search)
          names = CoreMethods::INSTANCE_VARIABLES.bind_call(parent)
          found = search.name(names) { |name| CoreMethods::INSTANCE_VARIABLE_GET.bind_call(parent, name) }
          ["instance_variable", CoreMethods.name_of(found)] if found
        end
      end

      # Its class, and the singleton class: found without asking for it, which would make one.
      module Classes
        def self.name(parent, search)
          child = search.child
          return unless CoreMethods.a?(child, Class)
          return %w[class class] if search.here?(CoreMethods::CLASS.bind_call(parent))

          return unless CoreMethods::SINGLETON_CLASS.bind_call(child) && CoreMethods.a?(parent, child)

          %w[singleton_class singleton_class]
        end
      end
    end
  end
end
