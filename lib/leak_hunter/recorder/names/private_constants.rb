# frozen_string_literal: true

require "leak_hunter/core_methods"
require "objspace"
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
                     *(Gem.path if defined?(Gem)), File.expand_path("../../..", __dir__)]
                    .compact.map { |dir| "#{dir}/" }.push("<").freeze
        BUILT_IN = "ruby"
        GEM = %r{/gems/|/rubygems-integration/}
        # What is not looked for.
        OTHERS = [ObjectSpace::InternalObjectWrapper, String, Numeric, Symbol].freeze

        private_constant :CONSTANT, :LIBRARIES, :BUILT_IN, :GEM, :OTHERS

        module_function

        def read(ledger)
          candidates = nil
          each_own do |mod, nameless|
            ledger.in_time
            next if unnamed(mod, nameless).empty?

            candidates ||= Symbol.all_symbols.grep(CONSTANT)
            try(mod, nameless, candidates, ledger)
          end
          true
        end

        # The modules that are not of a library, from the outermost one inwards.
        #
        # @yieldparam mod [Module]
        # @yieldparam nameless [Hash{Object => true}] what it refers to that is neither a module nor a String
        def each_own
          seen = { Object => true }.compare_by_identity
          queue = [Object]
          while (mod = queue.shift)
            prefix = CoreMethods::EQUAL.bind_call(mod, Object) ? "" : "#{CoreMethods::MODULE_NAME.bind_call(mod)}::"
            nameless = {}.compare_by_identity
            ObjectSpace.reachable_objects_from(mod)&.each do |value|
              case value
              when Module
                queue << value if !seen[value] && inside?(value, prefix) && (seen[value] = true)
              when *OTHERS then next
              else nameless[value] = true
              end
            end
            yield mod, nameless
          end
        end

        # Whether the module is called PREFIX and one more name.
        def inside?(mod, prefix)
          name = CoreMethods::MODULE_NAME.bind_call(mod)
          return false unless name&.start_with?(prefix) && !name.index("::", prefix.length)

          !prefix.empty? || (CONSTANT.match?(name) && own?(name))
        end

        # Told by the file in which an outermost module was first made.
        def own?(name)
          file, = CoreMethods::CONST_SOURCE_LOCATION.bind_call(Object, name, false)
          !(file.nil? || file == BUILT_IN || file.start_with?(*LIBRARIES) || GEM.match?(file))
        end

        # Takes out what has a name.
        def unnamed(mod, found)
          return found if found.empty?

          CoreMethods::CONSTANTS.bind_call(mod, false).each do |name|
            CoreMethods.constant(mod, name) { |value| found.delete(value) }
          end
          CoreMethods::INSTANCE_VARIABLES.bind_call(mod).each do |name|
            found.delete(CoreMethods::INSTANCE_VARIABLE_GET.bind_call(mod, name))
          end
          CoreMethods::CLASS_VARIABLES.bind_call(mod, false).each do |name|
            found.delete(CoreMethods::CLASS_VARIABLE_GET.bind_call(mod, name))
          end
          found
        end

        def try(mod, nameless, candidates, ledger)
          candidates.each do |name|
            CoreMethods.constant(mod, name) do |value|
              ledger.add("constant", mod, name, value) if nameless.delete(value)
            end
            break if nameless.empty?
          end
        end
      end
    end
  end
end
