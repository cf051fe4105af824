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
          ["instance_variable", found.name] if found
        end
      end

      # Its class, and the singleton class: found without asking for it, which would make one.
      module Classes
        IS_CLASS_OF = Module.instance_method(:===)
        CLASS = Kernel.instance_method(:class)
        private_constant :IS_CLASS_OF, :CLASS

        def self.name(parent, search)
          case (child = search.child)
          when Class
            return %w[class class] if search.here?(CLASS.bind_call(parent))

            if CoreMethods::SINGLETON_CLASS.bind_call(child) && IS_CLASS_OF.bind_call(child, parent)
              %w[singleton_class singleton_class]
            end
          end
        end
      end
    end
  end
end
