# frozen_string_literal: true

require "leak_hunter/core_methods"
require "leak_hunter/edge_names/limit"

module LeakHunter
  module EdgeNames
    # The object that is looked for in another one, within limits.
    class Search
      # Elements of one collection that are examined at most.
      ELEMENTS = 1_000_000
      # Characters of a name.
      LONGEST = 200
      # Elements between two looks at the limit.
      STRIDE = 512

      private_constant :LONGEST, :STRIDE

      attr_reader :child, :redact

      # @param limit [Limit] of this search, or of several
      def initialize(child, redact:, limit: Limit.new)
        @child = child
        @redact = redact
        @limit = limit
      end

      # @return [Object, nil] of the block, or nil when the limit was reached
      def in_time(&) = @limit.within(&)

      # Counts steps of a loop over someone else's data.
      #
      # @return [void]
      def step(...) = @limit.step(...)

      def here?(value)
        @limit.step
        CoreMethods.same?(@child, value)
      end

      # @param array [Array] may grow meanwhile
      # @return [Integer, nil] where the child is first
      def index(array)
        child = @child
        seen = 0
        CoreMethods::ARRAY_INDEX.bind_call(array) do |value|
          if ((seen += 1) % STRIDE).zero?
            return nil if seen > ELEMENTS

            step(STRIDE)
          end
          CoreMethods::EQUAL.bind_call(child, value)
        end
      end

      # @param names [Array<Symbol>]
      # @yieldreturn [Object] what has that name
      # @return [Symbol, nil] the name that the child has
      def name(names)
        names.find { |name| here?(yield(name)) }
      end

      def shorten(name) = name.length > LONGEST ? "#{name[0, LONGEST]}…" : name
    end
  end
end
