# frozen_string_literal: true

require "leak_hunter/core_methods"
require "leak_hunter/recorder/json_text"

module LeakHunter
  module Recorder
    class Names
      # Takes the names one by one and makes lines of them, as long as there is time.
      class Ledger
        # Names of which lines are made at a time: two Strings for all their addresses.
        BATCH = 256
        # Steps between two looks at the clock.
        STRIDE = 256
        # Characters of a name.
        LONGEST = 1000
        # Numbers and Symbols hold nothing, and most are no objects of the heap. None of these classes can have
        # subclasses with instances.
        WITHOUT_ADDRESS = [NilClass, TrueClass, FalseClass, Integer, Symbol, Float]
                          .to_h { |type| [type, true] }.compare_by_identity.freeze
        PLAIN = /\A[\w@$?!]+\z/
        # Of an address, as Kernel#to_s writes it.
        DIGITS = [0].pack("J").bytesize * 2
        REFERENCES = '"references":["'
        # Kinds of name that are data of the application, and what stands for them.
        KEYS = %w[fiber_local thread_variable fiber_storage].freeze
        REDACTED = :"#<Symbol>"

        private_constant :BATCH, :STRIDE, :LONGEST, :WITHOUT_ADDRESS, :PLAIN, :DIGITS, :REFERENCES, :KEYS,
                         :REDACTED

        # @return [String] the lines
        attr_reader :text

        # @return [Integer] how many
        attr_reader :count

        # @param seconds [Float] how long it may take
        # @param redact [Boolean, nil] as of {Names}
        def initialize(seconds, redact: nil)
          @redact_keys = true.equal?(redact)
          @thread_names = false.equal?(redact)
          @deadline = CoreMethods.processor_time + seconds
          @steps = 0
          @text = +""
          @count = 0
          @kinds = []
          @owners = []
          @names = []
          @values = []
          @postponed = []
        end

        # @param name [Symbol]
        # @param owner [Object, nil] nil when it has none
        # @throw :late when the time is over
        def add(kind, owner, name, value)
          step
          return if WITHOUT_ADDRESS.key?(CoreMethods::CLASS.bind_call(value))

          name = REDACTED if @redact_keys && KEYS.include?(kind)
          @kinds << kind
          @owners << owner
          @names << name
          @values << value
          flush if @values.size == BATCH
        end

        # @param thread [Thread]
        # @return [void]
        def add_thread(thread)
          name = CoreMethods::THREAD_NAME.bind_call(thread) if @thread_names
          add("thread", nil, name, thread) if name
        end

        # Keeps a name until {#add_postponed}.
        def postpone(kind, owner, name, value)
          @postponed.push(kind, owner, name, value)
        end

        # @return [true]
        def add_postponed
          0.step(@postponed.size - 1, 4) do |index|
            add(@postponed[index], @postponed[index + 1], @postponed[index + 2], @postponed[index + 3])
          end
          true
        end

        # Makes lines of what was added.
        #
        # @return [true]
        # @throw :late when the time is over
        def flush
          unless @values.empty?
            owners = addresses(@owners)
            values = addresses(@values)
            # not each_with_index: it makes an object of the VM's own, which a collection may find on the stack
            @kinds.each_index { |index| write(@kinds[index], owners[index], @names[index], values[index]) }
            [@kinds, @owners, @names, @values].each(&:clear)
          end
          in_time
        end

        # A few of many names at a time, with a look at the clock in between.
        #
        # @throw :late when the time is over
        def each_slice(names)
          names.each_slice(STRIDE) do |slice|
            yield slice
            in_time
          end
        end

        # Counts a step of a loop over the application's data; looks at the clock now and then.
        #
        # @return [void]
        # @throw :late when the time is over
        def step
          in_time if ((@steps += 1) % STRIDE).zero?
        end

        # Looks at the clock.
        #
        # @return [true]
        # @throw :late when the time is over
        def in_time = CoreMethods.processor_time < @deadline || throw(:late, false)

        # Removes what was added: Ruby may find a dead Array's address on the stack, and keep what is in it.
        def forget = [@kinds, @owners, @names, @values, @postponed].each(&:clear)

        private

        # No String is made for a line, or it would take twice as long.
        def write(kind, owner, name, value)
          @text << '{"type":"NAME", "kind":"' << kind
          @text << '", "owner":"' << owner if owner
          @text << '", "name":"' << json(text_of(name)) << '", "value":"' << value << "\"}\n"
          @count += 1
        end

        # Names of threads are Strings of the application.
        def text_of(name)
          CoreMethods.a?(name, Symbol) ? CoreMethods::SYMBOL_NAME.bind_call(name) : CoreMethods.utf8(name)
        end

        # The inside of a JSON string.
        def json(text)
          return text if text.ascii_only? && text.length <= LONGEST && PLAIN.match?(text)

          text = CoreMethods.utf8(text)
          text = "#{text[0, LONGEST]}…" if text.length > LONGEST
          JSONText.escape(text)
        end

        # An Array's own record lists the addresses of all that is in it: faster than asking each. It lacks nil, and the
        # class Array.
        def addresses(objects)
          record = ObjectSpace.dump(objects)
          start = record.index(REFERENCES) or return objects.map { |object| address(object) }
          start += REFERENCES.length
          found = record[start...record.index('"]', start)].split('", "')
          found.size == objects.size ? found : objects.map { |object| address(object) }
        end

        # The name of the class comes before the address, whatever it is.
        def address(object)
          return if CoreMethods.same?(object, nil)

          "0x#{CoreMethods::TO_S.bind_call(object).byteslice(-1 - DIGITS, DIGITS).to_i(16).to_s(16)}"
        end
      end
    end
  end
end
