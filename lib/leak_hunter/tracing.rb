# frozen_string_literal: true

require "leak_hunter/core_methods/references"
require "leak_hunter/tracing/exact"
require "leak_hunter/tracing/focus"
require "leak_hunter/tracing/mode"
require "leak_hunter/tracing/objspace"
require "leak_hunter/uninterrupted"

module LeakHunter
  # Allocation tracing: the record of where and in which GC generation each object was made. LeakHunter's own tracer
  # ({Exact}) keeps it, or the VM's ({Objspace}); {Mode} says which.
  #
  # A forked child inherits the tables and this state; all of it stays true there.
  module Tracing
    # Ruby before 3.4 forgets where an object was made when compaction moves it. LeakHunter's own tracer does not.
    FORGETS_MOVED = RUBY_VERSION.to_f < 3.4

    COMPACTS = GC.stat.key?(:compact_count)
    private_constant :COMPACTS

    @mutex = Mutex.new
    @blocks = {}.compare_by_identity
    @stays = false
    @mode = nil

    class << self
      # Traces from now on. Does nothing when LeakHunter traces already; starts anew when that has ended otherwise.
      #
      # With a block, until it ends. Blocks may be nested and run in several threads: the last one to end stops tracing,
      # unless it was started without a block, too.
      #
      # @param mode [Symbol, nil] `:exact` for LeakHunter's own tracer, `:objspace` for the VM's; nil for what is on, or
      #   else for the best one that is safe here
      # @param focus [String, Regexp, Hash, Array, nil] sites whose objects are traced with their stacks, in the mode
      #   `:exact`; see {LeakHunter.trace!}
      # @return [Hash{Symbol => Object}, Object] see {since}; with a block, what the block returned
      # @raise [UsageError] when LeakHunter traces in another mode than the one that is asked for
      # @raise [Unsupported] when the mode that is asked for is not safe here
      def start(mode: nil, focus: nil, &block)
        sites = Focus.check(focus) unless nil.equal?(focus)
        mode ||= :exact if sites
        return during(mode, sites, &block) if block

        exclusively do
          ensure_started(mode, sites)
          @stays = true
          describe
        end
      end

      # For a dump or a mark. Tracing that this starts stays on; tracing that a block has started ends with the block.
      #
      # @return [Hash{Symbol => Object}] see {since}
      def ensure_on
        exclusively do
          stays = @stays || !tracer&.held?
          ensure_started(nil)
          @stays = stays
          describe
        end
      end

      # Ends LeakHunter's own tracing and forgets what was recorded. What another tool traces is left as it is.
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

      # Whether allocations are being traced, by whomever.
      #
      # @return [Boolean]
      def on? = (Exact.held? && Exact.on?) || Objspace.on?

      # Forgets what was recorded so far, of all tools. Tracing itself goes on.
      #
      # @return [void]
      def clear
        exclusively do
          Exact.clear
          Objspace.clear
        end
        nil
      end

      # Forgets what a stopped tracer of the VM's has left: it tells the places of dead objects for those of living
      # ones.
      #
      # @return [void]
      def forget_leftovers
        exclusively { Objspace.forget_leftovers }
        nil
      end

      # Since when everything that was made is known, thanks to LeakHunter.
      #
      # @return [Hash{Symbol => Object}, nil] `generation:` (the GC count) and `time:`, `mode:` (`:exact` or
      #   `:objspace`) and `why:` that one; nil when tracing is off or was started by another tool only, or when another
      #   tool has stopped it or emptied its table meanwhile
      def since = exclusively { describe if tracer&.since }

      # Where and when one object was made.
      #
      # @return [Hash{Symbol => Object}, nil] `file:`, `line:`, `method:` and `generation:`; nil when it was not traced
      def allocation(object) = Exact.allocation(object) || Objspace.allocation(object)

      # @return [Boolean] whether moved objects may have lost what was recorded of them, or have another's
      def moves_spoil? = FORGETS_MOVED && !Exact.held?

      # @return [Boolean] whether objects were moved since {since}; while that is nil, since the process began
      def compacted? = compactions > (tracer&.since&.compactions || 0)

      # @return [Integer] how often the VM has moved objects
      def compactions = COMPACTS ? GC.stat(:compact_count) : 0

      private

      # An exception from another thread, a timeout's for one, waits until the count of starts is right again.
      def exclusively(&)
        Thread.handle_interrupt(Uninterrupted::NEVER) { @mutex.synchronize(&) }
      end

      def during(mode, sites)
        block = Object.new
        begin
          exclusively do
            ensure_started(mode, sites)
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

      # The one that LeakHunter has started last.
      def tracer
        case @mode&.name
        when :exact then Exact
        when :objspace then Objspace
        end
      end

      def ensure_started(asked, sites = nil)
        raise UsageError, "trace!: focus: takes the mode :exact, not #{asked.inspect}" if sites && asked != :exact

        if tracer&.held?
          refuse_another(asked)
        else
          @mode = Mode.choose(asked)
        end
        tracer&.ensure_started
        Exact.focus(sites) if sites && tracer == Exact
      end

      def refuse_another(asked)
        return if asked.nil? || asked == @mode.name

        raise UsageError, "LeakHunter traces in the mode :#{@mode.name} already, not :#{asked}: " \
                          "call LeakHunter.untrace! first"
      end

      def end_tracing
        Exact.stop
        Objspace.stop
      end

      def describe
        start = tracer&.since
        { generation: start&.generation, time: start&.time, mode: @mode.name, why: @mode.why }
      end
    end
  end
end
