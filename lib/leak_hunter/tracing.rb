# frozen_string_literal: true

require "leak_hunter/core_methods/references"
require "leak_hunter/tracing/exact"
require "leak_hunter/tracing/focus"
require "leak_hunter/tracing/mode"
require "leak_hunter/tracing/objspace"
require "leak_hunter/tracing/sampled"
require "leak_hunter/tracing/wish"
require "leak_hunter/uninterrupted"

module LeakHunter
  # Allocation tracing: the record of where and in which GC generation each object was made. LeakHunter's own tracer
  # keeps it ({Exact} or {Sampled}), or the VM's ({Objspace}); {Mode} says which.
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
      # @param mode [Symbol, nil] `:exact` for LeakHunter's own tracer, `:sampled` for that of one allocation in many,
      #   `:objspace` for the VM's; nil for what is on, or else for the best one that is safe here
      # @param focus [String, Regexp, Hash, Array, nil] sites whose objects are traced with their stacks, in the mode
      #   `:exact`; see {LeakHunter.trace!}
      # @param by [Symbol, nil] in the mode `:sampled`, what is counted: `:allocations` (the default), or the `:bytes`
      #   of their slots, so that what is larger is the more probable
      # @param every [Integer, nil] in the mode `:sampled`, one in so many of these; nil for 64 allocations or 4,096
      #   bytes
      # @param budget [Float, nil] in the mode `:sampled`, the share of CPU time that it may take; nil for no limit
      # @return [Hash{Symbol => Object}, Object] see {since}; with a block, what the block returned
      # @raise [UsageError] when LeakHunter traces in another mode than the one that is asked for
      # @raise [Unsupported] when the mode that is asked for is not safe here
      def start(mode: nil, focus: nil, by: nil, every: nil, budget: nil, &block)
        wish = Wish.of(mode, focus, Sampling.check(by, every, budget))
        return during(wish, &block) if block

        exclusively do
          ensure_started(wish)
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
          ensure_started(Wish::ANY)
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
      def on? = Exact.on? || Sampled.on? || Objspace.on?

      # Forgets what was recorded so far, of all tools. Tracing itself goes on.
      #
      # @return [void]
      def clear
        exclusively do
          Exact.clear
          Sampled.clear
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
      # @return [Hash{Symbol => Object}, nil] `generation:` (the GC count) and `time:`, `mode:` (`:exact`, `:sampled` or
      #   `:objspace`) and `why:` that one, in the mode `:sampled` also `sampling:` (`by:`, `every:`; how many
      #   `allocations:` since then, and how many of them were `reported:`); nil when tracing is off or was started by
      #   another tool only, or when another tool has stopped it or emptied its table meanwhile
      def since = exclusively { describe if tracer&.since }

      # What a moment says of itself. Where one allocation in many is remembered, and the VM's tracer is on beside it,
      # for another tool, the moment knows the births of all objects: it is the VM's, and not sampled.
      #
      # @return [Hash{Symbol => Object}, nil] see {since}
      def of_moment = (since unless Sampled.held? && Objspace.on?)

      # Where and when one object was made.
      #
      # @return [Hash{Symbol => Object}, nil] `file:`, `line:`, `method:` and `generation:`; nil when it was not traced
      def allocation(object)
        Exact.allocation(object) || Sampled.allocation(object) || Objspace.allocation(object)
      end

      # @return [Boolean] whether LeakHunter's own tracer is on, and the VM does not know what it does
      def own? = Exact.held? || Sampled.held?

      # @return [Boolean] whether moved objects may have lost what was recorded of them, or have another's
      def moves_spoil? = FORGETS_MOVED && !own?

      # @return [Boolean] whether objects were moved since {since}; while that is nil, since the process began
      def compacted? = compactions > (tracer&.since&.compactions || 0)

      # @return [Integer] how often the VM has moved objects
      def compactions = COMPACTS ? GC.stat(:compact_count) : 0

      private

      # An exception from another thread, a timeout's for one, waits until the count of starts is right again.
      def exclusively(&)
        Thread.handle_interrupt(Uninterrupted::NEVER) { @mutex.synchronize(&) }
      end

      def during(wish)
        block = Object.new
        begin
          exclusively do
            ensure_started(wish)
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
        when :sampled then Sampled
        when :objspace then Objspace
        end
      end

      def ensure_started(wish)
        if tracer&.held?
          refuse_another(wish.mode)
        else
          @mode = Mode.choose(wish.mode)
        end
        tracer == Sampled ? Sampled.ensure_started(wish.sampling) : tracer&.ensure_started
        Exact.focus(wish.sites) if wish.sites && tracer == Exact
      end

      def refuse_another(asked)
        return if asked.nil? || asked == @mode.name

        raise UsageError, "LeakHunter traces in the mode :#{@mode.name} already, not :#{asked}: " \
                          "call LeakHunter.untrace! first"
      end

      def end_tracing
        Exact.stop
        Sampled.stop
        Objspace.stop
      end

      def describe
        start = tracer&.since
        facts = { generation: start&.generation, time: start&.time, mode: @mode.name, why: @mode.why }
        tracer == Sampled ? facts.merge(sampling: Sampled.facts) : facts
      end
    end
  end
end
