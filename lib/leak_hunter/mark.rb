# frozen_string_literal: true

require "leak_hunter/recorder"

module LeakHunter
  # A moment of this process of which only the GC count is kept. With allocation tracing on, that is all a diff needs of
  # its first and second moment: it tells what was born before and after. Objects that are not traced cannot be judged.
  #
  #   first = LeakHunter.mark
  #   exercise_the_app
  #   second = LeakHunter.mark
  #   exercise_the_app
  #   LeakHunter.diff(first, second, LeakHunter::Heap.live)
  class Mark
    # @return [Integer] GC.count of the moment
    attr_reader :generation

    # Starts allocation tracing if it is off. Collects garbage, and once more after the moment, so that what is made
    # from there on is not of its generation.
    #
    # @return [Mark]
    def self.take
      tracing = Tracing.ensure_on
      GC.start
      mark = new(Recorder::Envelope.now(snapshot: "mark", tracing:))
      GC.start(full_mark: false, immediate_sweep: false)
      mark
    end

    private_class_method :new

    # @api private
    def initialize(envelope)
      @recorded = envelope.to_h.freeze
      @generation = envelope.generation
      freeze
    end

    # @return [Hash{Symbol => Object}] what a diff says of it, see {Diff}, `:recorded`
    def to_h = @recorded

    # @api private
    alias to_moment to_h

    def inspect = "#<#{self.class} generation #{generation}>"
  end
end
