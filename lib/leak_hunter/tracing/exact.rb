# frozen_string_literal: true

require "leak_hunter/tracing/start"

module LeakHunter
  module Tracing
    # LeakHunter's own tracer, in its extension. No other tool can stop it or empty its table.
    module Exact
      @start = nil

      class << self
        # A Ractor that ends may switch all hooks off (Bug #19112), so one allocation is looked at.
        def on? = held? && !Native.allocation(Object.new).nil?

        def held? = !@start.nil?

        def ensure_started
          return if on?

          Native.untrace
          Objspace.forget_leftovers
          Native.trace
          mark
        end

        # @return [Start, nil]
        def since = (@start if @start && on?)

        def stop
          return unless @start

          Native.untrace
          @start = nil
        end

        def clear
          return unless @start

          Native.clear_traces
          mark
        end

        # @param sites [Array] see {Focus.check}
        def focus(sites) = Native.focus_traces(sites)

        # @return [Hash{Symbol => Object}, nil] see {Tracing.allocation}
        def allocation(object) = (Native.allocation(object) if @start)

        private

        def mark
          @start = Start.new(nil, GC.count, Time.now, Tracing.compactions)
        end
      end
    end
  end
end
