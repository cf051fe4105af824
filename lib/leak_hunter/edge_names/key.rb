# frozen_string_literal: true

require "leak_hunter/core_methods"

module LeakHunter
  module EdgeNames
    # A key of a Hash in a few characters, in valid UTF-8.
    module Key
      LONGEST = 40
      # An application's class may define what Hash would ask it for: its hash.
      WORDS = { NilClass => "nil", TrueClass => "true", FalseClass => "false" }.compare_by_identity.freeze

      private_constant :LONGEST, :WORDS

      module_function

      # Classes are identifiers of the program, everything else is its data.
      #
      # @return [String] `[:key]`, `["text"]`, `[12]`, `[User]` of the class itself, `[#<User>]` of an instance, of what
      #   is too long, and of all data with `redact`
      def text(key, redact:)
        short = CoreMethods.a?(key, Module) ? module_name(key) : (value(key) unless redact)
        "[#{short || "#<#{class_name(key)}>"}]"
      end

      # @return [String, nil]
      def value(key)
        if CoreMethods.a?(key, Symbol) then short(CoreMethods::SYMBOL_INSPECT.bind_call(key), 0)
        elsif CoreMethods.a?(key, String) then quoted(key)
        elsif CoreMethods.a?(key, Integer) then integer(key)
        elsif CoreMethods.a?(key, Float) then CoreMethods::FLOAT_INSPECT.bind_call(key)
        else
          WORDS[CoreMethods::CLASS.bind_call(key)]
        end
      end

      def quoted(key)
        return if CoreMethods::STRING_SIZE.bind_call(key) > 4 * LONGEST

        short(CoreMethods::STRING_INSPECT.bind_call(key), 2)
      end

      def short(inspected, quotes)
        text = CoreMethods.utf8(inspected)
        text if text.length <= LONGEST + quotes
      end

      def integer(key)
        CoreMethods::INTEGER_INSPECT.bind_call(key) if CoreMethods::INTEGER_BITS.bind_call(key) <= 3 * LONGEST
      end

      # @return [String, nil]
      def module_name(mod)
        name = CoreMethods::MODULE_NAME.bind_call(mod)
        name && CoreMethods.utf8(name)
      end

      # @return [String] of a class without a name, that of the first one above it with a name
      def class_name(object)
        mod = CoreMethods::CLASS.bind_call(object)
        mod = CoreMethods::SUPERCLASS.bind_call(mod) until (name = module_name(mod))
        name
      end
    end
  end
end
