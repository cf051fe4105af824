# frozen_string_literal: true

module LeakHunter
  module Tracing
    # How the mode `:sampled` samples.
    #
    # @!attribute by
    #   @return [Symbol] what is counted until the next one: `:allocations`, or the `:bytes` of their slots
    # @!attribute every
    #   @return [Integer] one of so many is remembered
    # @!attribute budget
    #   @return [Float, nil] the share of the process's CPU time that it may take; nil for no limit
    Sampling = Struct.new(:by, :every, :budget)

    # Its checks.
    class Sampling
      # As many by default; with slots of some 64 bytes, as many allocations either way.
      EVERY = { allocations: 64, bytes: 4096 }.freeze
      # Of what is rarer than this nothing would be seen.
      RANGES = { allocations: 1..1_000_000, bytes: 1..100_000_000 }.freeze
      DEFAULT = new(:allocations, EVERY[:allocations], nil).freeze
      private_constant :EVERY, :RANGES

      # @return [Sampling, nil] nil when none of these was asked for
      # @raise [UsageError]
      def self.check(by, every, budget)
        return if by.nil? && every.nil? && budget.nil?

        by = :allocations if by.nil?
        raise UsageError, "by: expected :allocations or :bytes, got #{Arguments.show(by)}" unless EVERY.key?(by)

        Arguments.integer(:every, every, RANGES[by], optional: true)
        unless budget.nil? || (Float === budget && budget.positive? && budget <= 1) # rubocop:disable Style/CaseEquality
          raise UsageError, "budget: expected a share of CPU time such as 0.01, got #{Arguments.show(budget)}"
        end

        new(by, every || EVERY[by], budget).freeze
      end
    end
  end
end
