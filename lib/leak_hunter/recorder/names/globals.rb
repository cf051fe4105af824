# frozen_string_literal: true

require "leak_hunter/core_methods"

module LeakHunter
  module Recorder
    class Names
      # Global variables that Ruby code has made. Ruby's own hold nothing that leaks, but for a few; some of them
      # compute their value when they are read, or open a file.
      module Globals
        # Of Ruby's own: what grows.
        KEPT = %i[$LOAD_PATH $LOADED_FEATURES $stdin $stdout $stderr].freeze
        # Of Ruby's own, and the names that its library English gives them: not to be read.
        LEFT_OUT = %i[
          $ARGV $CHILD_STATUS $DEBUG $DEFAULT_INPUT $DEFAULT_OUTPUT $ERROR_INFO $ERROR_POSITION $FIELD_SEPARATOR
          $FILENAME $FS $IGNORECASE $INPUT_LINE_NUMBER $INPUT_RECORD_SEPARATOR $KCODE $LAST_MATCH_INFO $LAST_PAREN_MATCH
          $LAST_READ_LINE $MATCH $NR $OFS $ORS $OUTPUT_FIELD_SEPARATOR $OUTPUT_RECORD_SEPARATOR $PID $POSTMATCH
          $PREMATCH $PROCESS_ID $PROGRAM_NAME $RS $SAFE $VERBOSE $_
        ].freeze
        OF_THE_VM = %i[ENV ARGF ARGV].freeze
        NAME = /\A\$[[:alpha:]_][[:alnum:]_]*\z/

        private_constant :KEPT, :LEFT_OUT, :OF_THE_VM, :NAME

        module_function

        # Only Ruby code reads a global: it is compiled in one piece.
        def read(ledger)
          names = (KEPT | CoreMethods::GLOBALS.call) - LEFT_OUT
          names.select! { |name| readable?(name) }
          values = CoreMethods::EVAL.call("[#{names.join(", ")}]", nil, __FILE__, __LINE__)
          names.each_index { |index| ledger.add("global", nil, names[index], values[index]) }
          everywhere(ledger)
          true
        ensure
          values&.clear
        end

        # The main object, and constants to which the VM itself refers, so that no module is on the way to them.
        def everywhere(ledger)
          ledger.add("global", nil, :main, CoreMethods::SELF.bind_call(TOPLEVEL_BINDING))
          CoreMethods.each_constant(Object, OF_THE_VM) { |name, value| ledger.add("global", nil, name, value) }
        end

        def readable?(name)
          text = CoreMethods::SYMBOL_NAME.bind_call(name)
          [Encoding::UTF_8, Encoding::US_ASCII].include?(text.encoding) && NAME.match?(text)
        end
      end
    end
  end
end
