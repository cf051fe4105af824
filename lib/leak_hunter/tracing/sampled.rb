# frozen_string_literal: true

require "leak_hunter/tracing/own"
require "leak_hunter/tracing/pulses"
require "leak_hunter/tracing/sampling"

module LeakHunter
  module Tracing
    # LeakHunter's own tracer, for one allocation in so many, with its stack.
    module Sampled
      @start = @sampling = @pulses = nil

      class << self
        include Own

        # A Ractor that ends may switch all hooks off (Bug #19112), so one allocation is looked at.
        def on? = held? && Native.sampling?

        # @param sampling [Sampling, nil] nil for what it is, or else the default
        # @raise [UsageError] when it samples otherwise already
        def ensure_started(sampling = nil)
          refuse_another(sampling) if held?
          @sampling = sampling || @sampling || Sampling::DEFAULT
          start unless on?
          keep_within_budget
        end

        def stop
          return unless @start

          @pulses&.stop
          Native.untrace
          @start = @sampling = @pulses = nil
        end

        # What its objects stand for, as dumps say it.
        #
        # @return [Hash{Symbol => String, Integer}, nil] one in `every:` so many `by:` ("allocations" or "bytes"),
        #   `allocations:` since it began, how many of them were `reported:`, and how many that were remembered it has
        #   `lost:`
        def facts = Native.sampling&.slice(:by, :every, :allocations, :reported, :lost)

        private

        def start
          @pulses&.stop
          @pulses = nil
          Native.untrace
          Native.sample(@sampling.by, @sampling.every, nil)
          mark
        end

        # A forked child has no such thread.
        def keep_within_budget
          @pulses = Pulses.new(@sampling.budget) if @sampling.budget && !@pulses&.alive?
        end

        def refuse_another(sampling)
          return if sampling.nil? || sampling == @sampling

          raise UsageError, "LeakHunter samples otherwise already (by: #{@sampling.by.inspect}, " \
                            "every: #{@sampling.every}, budget: #{@sampling.budget.inspect}): " \
                            "call LeakHunter.untrace! first"
        end
      end
    end
  end
end
