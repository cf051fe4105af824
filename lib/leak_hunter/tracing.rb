# frozen_string_literal: true

require "leak_hunter/core_methods/references"
require "leak_hunter/ractors"
require "leak_hunter/uninterrupted"
require "objspace"

module LeakHunter
  # Allocation tracing: the VM's own record of where and in which GC generation each object was made.
  #
  # The VM keeps one table and one count of starts and stops for the whole process, shared by all tools. LeakHunter
  # holds at most one start of its own, so that another tool's stop does not end its tracing, and undoes only that one.
  # What others did to the table all the same is found out: {on?} tries it, {since} looks for a marker object.
  #
  # A forked child inherits the table, the count and this state; all of it stays true there.
  module Tracing
    # Ruby before 3.4 forgets where an object was made when compaction moves it.
    FORGETS_MOVED = RUBY_VERSION.to_f < 3.4

    # To find out whether the VM traces, objects are made on two lines of source, on which of the two a coin decides
    # each time, and what the VM says must agree with every coin. Generations do not tell: objects may die in the very
    # one they were born in, and what a stopped tracer has left of them is then as young as the objects in their slots
    # (three in a row were, once in 5,000 stops).
    PROBES = [
      -> { Object.new },
      -> { Object.new }
    ].freeze
    COINS = 32
    private_constant :PROBES, :COINS

    COMPACTS = GC.stat.key?(:compact_count)
    private_constant :COMPACTS

    # When LeakHunter's tracing began. The marker is an object born at that moment: as long as the VM knows its birth,
    # nobody has emptied the table.
    Start = Struct.new(:marker, :generation, :time, :compactions)
    private_constant :Start

    @mutex = Mutex.new
    @random = Random.new # of its own: the application's sequence stays as it is
    @held = false
    @start = nil
    @blocks = {}.compare_by_identity
    @stays = false

    class << self
      # Traces from now on. Does nothing when LeakHunter traces already; starts anew when another tool has ended that.
      #
      # With a block, until it ends. Blocks may be nested and run in several threads: the last one to end stops tracing,
      # unless it was started without a block, too.
      #
      # @return [Hash{Symbol => Object}, Object] see {since}; with a block, what the block returned
      def start(&)
        return during(&) if block_given?

        exclusively do
          @stays = true
          ensure_started
        end
      end

      # For a dump or a mark. Tracing that this starts stays on; tracing that a block has started ends with the block.
      #
      # @return [Hash{Symbol => Object}] see {since}
      def ensure_on
        exclusively do
          @stays ||= !held?
          ensure_started
        end
      end

      # Ends LeakHunter's own tracing and, unless another tool still traces, forgets what was recorded: without the
      # tracer the VM no longer drops the records of dead objects (Ruby <= 4.0), and an object made later in the slot of
      # a dead one would show the dead one's file, line and generation.
      #
      # @return [void]
      def stop
        exclusively do
          @stays = false
          @blocks.clear
          end_tracing
        end
        nil
      end

      # Whether allocations are being traced, by whomever. The VM does not tell, so this makes objects and looks.
      #
      # @return [Boolean]
      def on?
        2.times.any? { seen? } # another tool may empty the table just now
      end

      # Forgets what was recorded so far, of all tools. Tracing itself goes on.
      #
      # @return [void]
      def clear
        exclusively do
          refresh
          ObjectSpace.trace_object_allocations_clear
          mark if @held
        end
        nil
      end

      # Since when everything that was made is known, thanks to LeakHunter.
      #
      # @return [Hash{Symbol => Object}, nil] `generation:` (the GC count) and `time:`; nil when tracing is off or was
      #   started by another tool only, or when another tool has stopped it or emptied its table meanwhile
      def since = exclusively { describe if refresh }

      # @return [Boolean] whether objects were moved since {since}; while that is nil, since the process began
      def compacted? = compactions > (@start&.compactions || 0)

      # @return [Integer] how often the VM has moved objects
      def compactions = COMPACTS ? GC.stat(:compact_count) : 0

      private

      # An exception from another thread, a timeout's for one, waits until the count of starts is right again.
      def exclusively(&)
        Thread.handle_interrupt(Uninterrupted::NEVER) { @mutex.synchronize(&) }
      end

      def during
        block = Object.new
        begin
          exclusively do
            ensure_started
            @blocks[block] = Thread.current
          end
          yield
        ensure
          exclusively { leave(block) }
        end
      end

      # A forked child inherits the blocks of threads that it does not have.
      def leave(block)
        return unless @blocks.delete(block) # somebody called {stop} meanwhile

        @blocks.keep_if { |_, thread| thread.alive? }
        end_tracing unless @stays || @blocks.any?
      end

      def ensure_started
        begin_tracing unless refresh
        describe
      end

      def end_tracing
        refresh
        ObjectSpace.trace_object_allocations_stop if @held
        @held = false
        @start = nil
        ObjectSpace.trace_object_allocations_clear unless on?
      end

      # Whether LeakHunter traces, as far as it knows.
      def held?
        refresh
        @held
      end

      # Whether the VM knows on which lines some objects were made.
      def seen?
        probes = Array.new(COINS) { PROBES[@random.rand(2)] }
        objects = probes.map(&:call)
        objects.zip(probes).all? do |object, probe|
          ObjectSpace.allocation_sourceline(object) == probe.source_location.last
        end
      end

      # What a stopped tracer has left is cleared first: it is wrong wherever the VM has reused a slot since.
      def begin_tracing
        unless @held
          refuse_ractors
          ObjectSpace.trace_object_allocations_clear unless on?
          ObjectSpace.trace_object_allocations_start
          @held = true
        end
        mark
      end

      def refuse_ractors
        return unless Ractors::TRACING_CRASHES && Ractors.running?

        raise Unsupported, "other Ractors are running, beside which Ruby #{RUBY_VERSION} crashes when it traces " \
                           "allocations (Bug #18464); Ruby 3.2.3 and later do not"
      end

      def mark
        marker = Object.new
        @start = Start.new(marker, ObjectSpace.allocation_generation(marker), Time.now, compactions)
      end

      def describe = { generation: @start.generation, time: @start.time }

      # Drops what is no longer true of {Start} and whether we hold one.
      def refresh
        @held &&= on?
        @start = nil unless @held && @start && untouched?
        @start
      end

      def untouched?
        ObjectSpace.allocation_generation(@start.marker) == @start.generation || (FORGETS_MOVED && compacted?)
      end
    end
  end
end
