# frozen_string_literal: true

module LeakHunter
  module CoreMethods
    # The values of a module's own constants, without loading what is not loaded yet and without a warning about what is
    # deprecated.
    module Constants
      # Names that are compiled at a time.
      BATCH = 256
      ENCODINGS = [Encoding::UTF_8, Encoding::US_ASCII].freeze
      private_constant :BATCH, :ENCODINGS

      class << self
        # @param names [Array<Symbol>]
        # @yieldparam name [Symbol]
        # @yieldparam value [Object]
        def each(mod, names, &)
          return quietly(mod, names, &) if WARNING_GET.call(:deprecated)

          names.each { |name| yield name, CONST_GET.bind_call(mod, name, false) if loaded?(mod, name) }
        end

        # One that would have to be loaded first, or is gone, has no value.
        def loaded?(mod, name)
          !AUTOLOAD.bind_call(mod, name, false) && CONST_DEFINED.bind_call(mod, name, false)
        end

        private

        # A deprecated constant warns whoever reads it, and warnings can be turned off for the whole process only. Other
        # threads may run whenever a method returns; so the constants are read without calling one.
        def quietly(mod, names)
          names.each_slice(BATCH) do |slice|
            readable = slice.select { |name| loaded?(mod, name) && source?(name) }
            next if readable.empty?

            values = MODULE_EVAL.bind_call(mod, <<~RUBY, __FILE__, __LINE__ + 1)
              verbose = $VERBOSE; $VERBOSE = nil; values = [#{readable.join(", ")}]; $VERBOSE = verbose; values
            RUBY
            readable.each_index { |index| yield readable[index], values[index] }
          end
        end

        def source?(name) = ENCODINGS.include?(STRING_ENCODING.bind_call(SYMBOL_NAME.bind_call(name)))
      end
    end
    private_constant :Constants
  end
end
