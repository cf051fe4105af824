# frozen_string_literal: true

require "leak_hunter/tracing/own"

module LeakHunter
  module Tracing
    # LeakHunter's own tracer, in its extension. No other tool can stop it or empty its table.
    module Exact
      @start = nil

      class << self
        include Own

        # A Ractor that ends may switch all hooks off (Bug #19112), so one allocation is looked at.
        def on? = held? && !Native.allocation(Object.new).nil?

        def ensure_started
          return if on?

          Native.untrace
          Objspace.forget_leftovers
          Native.trace
          mark
        end

        def stop
          return unless @start

          Native.untrace
          @start = nil
        end

        # @param sites [Array] see {Focus.check}
        def focus(sites) = Native.focus_traces(sites)
      end
    end
  end
end
