# frozen_string_literal: true

require "leak_hunter/core_methods"

module LeakHunter
  module EdgeNames
    # A key of a Hash in a few characters.
    module Key
      LONGEST = 40
      BYTESIZE = String.instance_method(:bytesize)
      INSPECT = { String => String, Symbol => Symbol, Integer => Integer, Float => Float }
                .transform_values { |type| type.instance_method(:inspect) }.freeze
      CLASS = Kernel.instance_method(:class)
      SUPERCLASS = Class.instance_method(:superclass)
      WORDS = { NilClass => "nil", TrueClass => "true", FalseClass => "false" }.freeze

      private_constant :LONGEST, :BYTESIZE, :INSPECT, :CLASS, :SUPERCLASS, :WORDS

      module_function

      # @return [String] `[:key]`, `["text"]`, `[12]`, `[User]` of the class itself, `[#<User>]` of an instance
      def text(key, redact:) = "[#{short(key, redact) || "#<#{class_name(key)}>"}]"

      def short(key, redact)
        case key
        when Symbol then INSPECT[Symbol].bind_call(key).then { |text| text if text.length <= LONGEST }
        when Module then CoreMethods::MODULE_NAME.bind_call(key)
        when NilClass, TrueClass, FalseClass then WORDS.find { |type, _| type === key }.last # rubocop:disable Style/CaseEquality
        when String then quoted(key) unless redact || BYTESIZE.bind_call(key) > 4 * LONGEST
        when Integer, Float then number(key) unless redact
        end
      end

      def quoted(key)
        text = INSPECT[String].bind_call(key).encode(Encoding::UTF_8, invalid: :replace, undef: :replace)
        text if text.length <= LONGEST + 2
      end

      def number(key)
        return if key.is_a?(Integer) && key.bit_length > 3 * LONGEST

        INSPECT[key.is_a?(Integer) ? Integer : Float].bind_call(key)
      end

      # @return [String] of a class without a name, that of the first one above it with a name
      def class_name(object)
        mod = CLASS.bind_call(object)
        mod = SUPERCLASS.bind_call(mod) until (name = CoreMethods::MODULE_NAME.bind_call(mod))
        name
      end
    end
  end
end
