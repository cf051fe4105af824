# frozen_string_literal: true

module LeakHunter
  # The one place that checks arguments. Each method returns the argument in the form that the rest of LeakHunter takes,
  # or raises a {UsageError} (an ArgumentError) that names the argument, what it may be and what it was.
  module Arguments
    THREADS = (1..1_024)
    ADDRESSES = (0...(2**64))

    # As in messages and dumps.
    ADDRESS = /\A0x\h{1,16}\z/

    # The longest text that a message quotes, in characters, and the most elements.
    QUOTED = 80
    ELEMENTS = 10

    # Quoted as they are. Of other classes an application may have defined `inspect`.
    PLAIN = [String, Symbol, Integer, Float, NilClass, TrueClass, FalseClass, Regexp].freeze
    CLASS_OF = Kernel.instance_method(:class)
    NAME_OF = Module.instance_method(:name)
    RESPOND_TO = Kernel.instance_method(:respond_to?)
    private_constant :QUOTED, :ELEMENTS, :PLAIN, :CLASS_OF, :NAME_OF, :RESPOND_TO

    class << self
      # Refuses option names that are not among those known, and proposes similar ones. For a method that ends in
      # `**unknown`, so that all answer alike:
      #
      #   Arguments.refuse_unknown(unknown, method(__method__))
      #
      # @param given [Hash, Array<Symbol>]
      # @param known [Array<Symbol>, Method, UnboundMethod]
      # @return [void]
      def refuse_unknown(given, known)
        return if given.empty?

        known = keywords_of(known) unless known.is_a?(Array)
        names = (given.is_a?(Hash) ? given.keys : given) - known
        return if names.empty?

        hint = names.filter_map { |name| similar(name, known) }
        hint = hint.empty? ? "" : " Did you mean #{hint.join(", ")}?"
        raise UsageError, "unknown option#{"s" if names.size > 1}: #{names.join(", ")}.#{hint} " \
                          "#{known.empty? ? "There are none" : "The options are: #{known.join(", ")}"}"
      end

      # @param known [Array<String>]
      # @return [String] the name, of a Symbol or String
      def one_of(name, value, known)
        text = text_of(value)
        return text if text && known.include?(text)

        hint = text && hint(text, known)
        raise UsageError, "#{name}: #{show(value)} is not one of #{known.join(", ")}#{".#{hint}" if hint}"
      end

      # @param known [Array<String>]
      # @return [String, nil] " Did you mean …?"
      def hint(text, known)
        similar = similar(text, known) if text.valid_encoding?
        " Did you mean #{similar}?" if similar
      end

      # @return [Integer, nil] nil only if `optional`
      def integer(name, value, range, optional: false)
        case value
        when Integer then return value if range.cover?(value)
        when nil then return if optional
        end

        raise UsageError, "#{name}: expected #{range.begin} to #{range.end}#{" or nil" if optional}, got #{show(value)}"
      end

      # How many threads a run in the core has.
      #
      # @param value [Integer, :all, nil] `:all` is one for each core, for programs that do nothing else meanwhile;
      #   nil leaves one core to the application, and on Linux runs at a lower priority than it
      # @return [Integer, nil]
      def threads(value)
        case value
        when :all then return Native.cores.clamp(THREADS)
        when nil then return
        when Integer then return value if THREADS.cover?(value)
        end

        raise UsageError, "threads: expected #{THREADS.begin} to #{THREADS.end}, :all or nil, got #{show(value)}"
      end

      # @return [Boolean]
      def boolean(name, value, optional: false)
        return value if true.equal?(value) || false.equal?(value) || (optional && nil.equal?(value))

        raise UsageError, "#{name}: expected #{"nil, " if optional}true or false, got #{show(value)}"
      end

      # @return [#call, nil]
      def callable(name, value)
        return value if nil.equal?(value) || responds?(value, :call)

        raise UsageError, "#{name}: expected something with a call method, got #{show(value)}"
      end

      # File names are bytes: they need not be valid in any encoding.
      #
      # @param value [String, #to_path]
      # @param expected [String] for the message
      # @return [String] as it was given, frozen
      def path(name, value, expected: "a path")
        path = File.path(value)
        raise UsageError, "#{name}: the path is empty" if path.empty?

        path.dup.freeze
      rescue TypeError
        raise UsageError, "#{name}: expected #{expected}, got #{show(value)}"
      rescue ArgumentError, EncodingError => e # a null byte; an encoding such as UTF-16
        raise if e.is_a?(UsageError)

        raise UsageError, "#{name}: invalid path #{show(value)} (#{e.message})"
      end

      # @param value [Integer, String] `"0x7f…"`
      # @return [Integer]
      def address(name, value)
        case value
        when String then return value.hex if value.b.match?(ADDRESS)
        when Integer then return value if ADDRESSES.cover?(value)
        end

        raise UsageError, "#{name}: expected an address, an Integer or \"0x…\", got #{show(value)}"
      end

      # `respond_to?` of any object, proxies that have none too.
      #
      # @return [Boolean]
      def responds?(value, method) = RESPOND_TO.bind_call(value, method)

      # A value as messages quote it: short, and without running code of the application's.
      #
      # @return [String]
      def show(value, elements: ELEMENTS)
        type = CLASS_OF.bind_call(value)
        if PLAIN.include?(type) then quote(value)
        elsif type == Array && value.size <= elements
          "[#{value.map { |element| show(element, elements: 0) }.join(", ")}]"
        else
          "an instance of #{NAME_OF.bind_call(type) || "an anonymous class"}"
        end
      end

      private

      def text_of(value)
        case value
        when Symbol then value.name
        when String then value
        end
      end

      def quote(value)
        return "an Integer of #{value.bit_length} bits" if value.is_a?(Integer) && value.bit_length > QUOTED * 3

        text = value.is_a?(String) ? value[0, QUOTED].inspect : value.inspect
        text.length > QUOTED ? "#{text[0, QUOTED]}…" : text
      end

      def keywords_of(method)
        method.parameters.filter_map { |kind, name| name if %i[key keyreq].include?(kind) }
      end

      # did_you_mean can be switched off
      def similar(name, known)
        DidYouMean::SpellChecker.new(dictionary: known).correct(name).first if defined?(DidYouMean::SpellChecker)
      end
    end
  end
end
