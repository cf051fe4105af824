# frozen_string_literal: true

require "leak_hunter/core_methods"
require "rbconfig"

module LeakHunter
  module Recorder
    class Names
      # Private constants of the application's own modules. Ruby lists them nowhere. So, where a module holds something
      # that has no name yet, all names that a constant can have, and that the process knows, are tried.
      #
      # Those of libraries are left out: there are too many modules for the time. So are classes and modules, of which a
      # dump has the names, and Strings: a module refers to the names of the files that made its constants.
      module PrivateConstants
        CONSTANT = /\A[[:upper:]][[:alnum:]_]*\z/
        # Where libraries are, and how Ruby calls what has no file.
        LIBRARIES = [*RbConfig::CONFIG.values_at("rubylibdir", "rubyarchdir", "sitedir", "vendordir"),
                     *(Gem.path if defined?(Gem.path)), File.expand_path("../../..", __dir__)]
                    .compact.map { |dir| "#{dir}/" }.push("<").freeze
        BUILT_IN = "ruby"
        GEM = %r{/gems/|/rubygems-integration/}
        # What is not looked for, beside Ruby's internal objects.
        OTHERS = [String, Numeric, Symbol].freeze

        private_constant :CONSTANT, :LIBRARIES, :BUILT_IN, :GEM, :OTHERS

        module_function

        def read(ledger)
          candidates = nil
          each_own(ledger) do |mod, nameless|
            next if unnamed(mod, nameless, ledger).empty?

            candidates ||= candidates(ledger)
            try(mod, nameless, candidates, ledger)
          end
          true
        end

        def candidates(ledger)
          found = []
          ledger.each_slice(CoreMethods::SYMBOLS.call) { |names| found.concat(names.grep(CONSTANT)) }
          found
        end

        # The modules that are not of a library, from the outermost one inwards.
        #
        # @yieldparam mod [Module]
        # @yieldparam nameless [Hash{Object => true}] what it refers to that is neither a module nor a String
        def each_own(ledger)
          seen = {}.compare_by_identity
          seen[Object] = true
          queue = [Object]
          while (mod = queue.shift)
            prefix = CoreMethods.same?(mod, Object) ? "" : "#{module_name(mod)}::"
            nameless = {}.compare_by_identity
            CoreMethods::REFERENCES.call(mod)&.each do |value|
              ledger.step
              if CoreMethods.a?(value, Module)
                queue << value if !seen[value] && inside?(value, prefix) && (seen[value] = true)
              elsif !other?(value)
                nameless[value] = true
              end
            end
            yield mod, nameless
          end
        end

        def other?(value)
          CoreMethods.a?(value, ObjectSpace::InternalObjectWrapper) ||
            OTHERS.any? { |type| CoreMethods.a?(value, type) }
        end

        # Whether the module is called PREFIX and one more name.
        def inside?(mod, prefix)
          name = module_name(mod)
          return false unless name&.start_with?(prefix) && !name.index("::", prefix.length)

          !prefix.empty? || (CONSTANT.match?(name) && own?(name))
        end

        # @return [String, nil] in valid UTF-8
        def module_name(mod)
          name = CoreMethods::MODULE_NAME.bind_call(mod)
          name && CoreMethods.utf8(name)
        end

        # Told by the file in which an outermost module was first made.
        def own?(name)
          file, = CoreMethods::CONST_SOURCE_LOCATION.bind_call(Object, name, false)
          return false unless file.is_a?(String) # false for some constants that are loaded when they are used

          !(file == BUILT_IN || file.start_with?(*LIBRARIES) || GEM.match?(file))
        end

        # Takes out what has a name.
        def unnamed(mod, found, ledger)
          return found if found.empty?

          ledger.each_slice(CoreMethods::CONSTANTS.bind_call(mod, false)) do |names|
            CoreMethods.each_constant(mod, names) { |_, value| found.delete(value) }
          end
          CoreMethods::INSTANCE_VARIABLES.bind_call(mod).each do |name|
            ledger.step
            found.delete(CoreMethods::INSTANCE_VARIABLE_GET.bind_call(mod, name))
          end
          CoreMethods::CLASS_VARIABLES.bind_call(mod, false).each do |name|
            ledger.step
            found.delete(CoreMethods::CLASS_VARIABLE_GET.bind_call(mod, name))
          rescue RuntimeError
            next # a superclass has got one of that name
          end
          found
        end

        def try(mod, nameless, candidates, ledger)
          ledger.each_slice(candidates) do |names|
            CoreMethods.each_constant(mod, names) do |name, value|
              ledger.add("constant", mod, name, value) if nameless.delete(value)
            end
            break if nameless.empty?
          end
        end
      end
    end
  end
end
