# frozen_string_literal: true

require "leak_hunter/arguments"
require "leak_hunter/recorder"

module LeakHunter
  # A moment of this process without a file. What is alive is counted, in one walk over the heap: objects and bytes by
  # class and allocation site, and how long each collection is. With allocation tracing on, that is all a diff needs of
  # its first moments: its GC count tells what was born before and after. Objects that are not traced cannot be judged.
  #
  #   first = LeakHunter.mark
  #   exercise_the_app
  #   second = LeakHunter.mark
  #   exercise_the_app
  #   LeakHunter.diff(first, second, LeakHunter::Heap.live)
  #
  # A mark keeps 10 bytes for each collection, 20 for one that is not traced, and no object alive; all of it is freed
  # with it. It is frozen, may be used by several threads, and goes on working in a forked child. Where the heap cannot
  # be walked (without the extension, and beside other Ractors before Ruby 4.0) nothing is counted, and {#uncounted}
  # says why: lengths and sizes of that moment are not known then.
  class Mark
    # Rows that are shown at most, unless more are asked for.
    ROWS = (0..4_294_967_295)
    private_constant :ROWS

    # @return [Integer] GC.count of the moment
    attr_reader :generation
    # @return [String, nil] why nothing was counted; nil where it was
    attr_reader :uncounted
    # @return [Float] seconds for which garbage was collected, before and after
    attr_reader :collecting

    class << self
      # Starts allocation tracing if it is off. Collects garbage, and once more after the moment, so that what is made
      # from there on is not of its generation.
      #
      # @return [Mark]
      def take
        tracing = Tracing.ensure_on
        begin
          native = Heap.mark.freeze
        rescue Unsupported => e
          return uncounted(tracing, e.message)
        end
        new(native.recorded, native:, collecting: native.collecting)
      end

      private :new

      private

      def uncounted(tracing, why)
        start = now
        GC.start
        collecting = now - start
        envelope = Recorder::Envelope.now(snapshot: "mark", tracing:)
        start = now
        GC.start(full_mark: false, immediate_sweep: false)
        new(envelope.to_h, uncounted: why, collecting: collecting + now - start)
      end

      def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    end

    # @api private
    def initialize(recorded, collecting:, native: nil, uncounted: nil)
      @recorded = Ractor.make_shareable(recorded)
      @generation = recorded.fetch(:generation)
      @collecting = collecting
      @native = native
      @uncounted = uncounted.freeze
      freeze
    end

    # @return [Boolean] whether the objects were counted
    def counted? = !@native.nil?

    # @return [Float, nil] seconds for which the process was paused while its objects were counted, beside
    #   {#collecting}; nil where they were not
    def pause = @native&.pause

    # @return [Integer, nil] number of objects
    def size = @native&.size

    # @return [Integer, nil] bytes of all objects, slots included
    def memsize = @native&.memsize

    # @return [Array<Hash>] `:class`, `:count`, `:memsize`, most bytes first: as {Heap#classes}
    # @raise [Unsupported] nothing was counted
    def classes = native.by_class

    # @param limit [Integer] rows at most
    # @return [Array<Hash>] `:file`, `:line`, `:method`, `:gem`, `:count`, `:memsize`, most bytes first: as
    #   {Heap#top}, `by: :site`
    # @raise [Unsupported] nothing was counted
    def sites(limit: 20) = native.by_site(Arguments.integer(:limit, limit, ROWS))

    # By class and allocation site, as a diff's groups.
    #
    # @param limit [Integer] rows at most
    # @return [Array<Hash>] `:class`, `:file`, `:line`, `:method`, `:gem`, `:count`, `:memsize`, most bytes first
    # @raise [Unsupported] nothing was counted
    def groups(limit: 20) = native.by_class_and_site(Arguments.integer(:limit, limit, ROWS))

    # @return [Hash{Symbol => Object}] what a diff says of it, see {Diff}, `:recorded`
    def to_h = @recorded

    # @api private
    def to_moment = @native || @recorded

    # A mark is of its process, and in no other is anything to compare it with.
    #
    # @raise [UsageError] always
    def marshal_dump
      raise UsageError, "a mark cannot be written: it belongs to its process; LeakHunter.snapshot! makes a file"
    end

    def inspect
      what = counted? ? "#{size} objects" : "not counted (#{uncounted})"
      "#<#{self.class} generation #{generation}: #{what}>"
    end
    alias to_s inspect

    private

    def native
      @native || raise(Unsupported, "this mark has no numbers of objects: #{uncounted}")
    end
  end
end
