# frozen_string_literal: true

module LeakHunter
  module Recorder
    # Takes a whole moment as a file, where the caller does not care in which of the two ways: a snapshot where the heap
    # can be walked, else a dump.
    module Moment
      KINDS = %w[snapshot dump].freeze
      # What only {Recorder.dump!} can do.
      DUMP_ONLY = %i[fork full].freeze

      module_function

      # @param kind [String, Symbol, nil] one of {KINDS}; nil chooses
      # @param options [Hash] those of {Recorder.snapshot!} or {Recorder.dump!}; with `fork: true` or `full: true` nil
      #   is a dump
      # @return [Dump]
      def take(kind: nil, **options)
        kind = kind ? Arguments.one_of(:kind, kind, KINDS) : choose(options)
        return LeakHunter.dump!(**options) if kind == "dump"

        only = options.slice(*DUMP_ONLY).select { |_, value| value }
        raise UsageError, "#{only.keys.first}: only a dump can do that (kind: :dump)" if only.any?

        LeakHunter.snapshot!(**options.except(*DUMP_ONLY))
      end

      def choose(options)
        options.values_at(*DUMP_ONLY).none? && WalkedSnapshot.possible? ? "snapshot" : "dump"
      end
    end
  end
end
