# frozen_string_literal: true

require "leak_hunter/core_methods"

module LeakHunter
  module Recorder
    class Names
      # Constants, class variables and instance variables of classes and modules, singleton classes among them.
      module Modules
        module_function

        # The youngest come first: those are the application's.
        def read(ledger)
          all = []
          CoreMethods::EACH_OBJECT.call(Module) { |mod| all << mod }
          all.reverse_each { |mod| read_module(mod, ledger) }
          true
        ensure
          all&.clear
        end

        def read_module(mod, ledger)
          ledger.step
          read_constants(mod, ledger)
          read_instance_variables(mod, ledger)
          read_class_variables(mod, ledger)
        rescue StandardError
          nil # one that was allocated and never initialized: the others have names
        end

        def read_constants(mod, ledger)
          ledger.each_slice(CoreMethods::CONSTANTS.bind_call(mod, false)) do |names|
            CoreMethods.each_constant(mod, names) do |name, value|
              if CoreMethods.a?(value, Module) then ledger.postpone("constant", mod, name, value)
              else
                ledger.add("constant", mod, name, value)
              end
            end
          end
        end

        def read_instance_variables(mod, ledger)
          CoreMethods::INSTANCE_VARIABLES.bind_call(mod).each do |name|
            ledger.add("instance_variable", mod, name, CoreMethods::INSTANCE_VARIABLE_GET.bind_call(mod, name))
          end
        end

        # A singleton class has those of the object's class.
        def read_class_variables(mod, ledger)
          return if CoreMethods::SINGLETON_CLASS.bind_call(mod)

          CoreMethods::CLASS_VARIABLES.bind_call(mod, false).each do |name|
            ledger.add("class_variable", mod, name, CoreMethods::CLASS_VARIABLE_GET.bind_call(mod, name))
          rescue RuntimeError
            next # a superclass has got one of that name, too late: no one can read this one any more
          end
        end

        # Constants that are classes and modules, of which a dump has the names anyway.
        module Nested
          def self.read(ledger) = ledger.add_postponed
        end
      end
    end
  end
end
