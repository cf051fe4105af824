# frozen_string_literal: true

require "leak_hunter/tracing/start"

module LeakHunter
  module Tracing
    # What the modes of LeakHunter's own tracer have in common: one table, in the extension.
    module Own
      def held? = !@start.nil?

      # @return [Start, nil]
      def since = (@start if @start && on?)

      def clear
        return unless @start

        Native.clear_traces
        mark
      end

      # @return [Hash{Symbol => Object}, nil] see {Tracing.allocation}
      def allocation(object) = (Native.allocation(object) if @start)

      private

      def mark
        @start = Start.new(nil, GC.count, Time.now, Tracing.compactions)
      end
    end
    private_constant :Own
  end
end
