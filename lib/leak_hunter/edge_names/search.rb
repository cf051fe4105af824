# frozen_string_literal: true

require "leak_hunter/core_methods"

module LeakHunter
  module EdgeNames
    # The object that is looked for in another one, for a limited time.
    class Search
      # What one search may look at.
      ELEMENTS = 1_000_000
      # How long it may take, in seconds.
      SECONDS = 0.05
      # Elements between two looks at the clock.
      STRIDE = 1024
      INDEX = Array.instance_method(:index)

      private_constant :SECONDS, :STRIDE, :INDEX

      attr_reader :child, :redact

      def initialize(child, redact:)
        @child = child
        @redact = redact
        @deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + SECONDS
        @looks = 0
      end

      # @throw :late when the time is over
      def here?(value)
        in_time if ((@looks += 1) % STRIDE).zero?
        CoreMethods::EQUAL.bind_call(@child, value)
      end

      # @param array [Array] may grow meanwhile
      # @return [Integer, nil] where the child is first
      def index(array)
        seen = 0
        INDEX.bind_call(array) do |value|
          return nil if (seen += 1) > ELEMENTS

          here?(value)
        end
      end

      # @param names [Array<Symbol>]
      # @yieldreturn [Object] what has that name
      # @return [Symbol, nil] the name that the child has
      def name(names)
        names.find { |name| here?(yield(name)) }
      end

      private

      def in_time
        throw(:late, nil) if Process.clock_gettime(Process::CLOCK_MONOTONIC) > @deadline
      end
    end
  end
end
