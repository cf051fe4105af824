# frozen_string_literal: true

require "json"
require "leak_hunter/core_methods"
require "objspace"

module LeakHunter
  module Recorder
    class Names
      # Takes the names one by one and makes lines of them, as long as there is time.
      class Ledger
        # Names of which lines are made at a time: one look at the clock, and two Strings for all their addresses.
        BATCH = 256
        # Numbers and Symbols hold nothing, and most are no objects of the heap.
        WITHOUT_ADDRESS = [NilClass, TrueClass, FalseClass, Integer, Symbol, Float].freeze
        PLAIN = /\A[\w@$?!]+\z/
        DIGITS = CoreMethods::TO_S.bind_call(Object.new)[/:0x(\h+)>\z/, 1].length
        REFERENCES = '"references":["'

        # The time of this thread: other processes' turns are not counted.
        CLOCK = %i[CLOCK_THREAD_CPUTIME_ID CLOCK_MONOTONIC]
                .find { |name| Process.const_defined?(name) }.then { |name| Process.const_get(name) }

        private_constant :CLOCK, :BATCH, :WITHOUT_ADDRESS, :PLAIN, :DIGITS, :REFERENCES

        # @return [String] the lines
        attr_reader :text

        # @return [Integer] how many
        attr_reader :count

        # @param seconds [Float] how long it may take
        def initialize(seconds)
          @deadline = now + seconds
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
          case value
          when *WITHOUT_ADDRESS then return
          end
          @kinds << kind
          @owners << owner
          @names << name
          @values << value
          flush if @values.size == BATCH
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
            @kinds.each_with_index { |kind, index| write(kind, owners[index], @names[index], values[index]) }
            [@kinds, @owners, @names, @values].each(&:clear)
          end
          in_time
        end

        # Looks at the clock.
        #
        # @return [true]
        # @throw :late when the time is over
        def in_time = now < @deadline || throw(:late, false)

        # Lets go of what was added: Ruby may find a dead Array's address on the stack, and keep what is in it.
        def forget = [@kinds, @owners, @names, @values, @postponed].each(&:clear)

        private

        def now = Process.clock_gettime(CLOCK)

        # No String is made for a line, or it would take twice as long.
        def write(kind, owner, name, value)
          @text << '{"type":"NAME", "kind":"' << kind
          @text << '", "owner":"' << owner if owner
          @text << '", "name":"' << json(name.name) << '", "value":"' << value << "\"}\n"
          @count += 1
        end

        # The inside of a JSON string.
        def json(text)
          return text if text.ascii_only? && PLAIN.match?(text)

          JSON.generate(text.encode(Encoding::UTF_8, invalid: :replace, undef: :replace))[1...-1]
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
          return if NilClass === object # rubocop:disable Style/CaseEquality

          "0x#{CoreMethods::TO_S.bind_call(object).byteslice(-1 - DIGITS, DIGITS).to_i(16).to_s(16)}"
        end
      end
    end
  end
end
