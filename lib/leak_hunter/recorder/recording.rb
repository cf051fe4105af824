# frozen_string_literal: true

require "leak_hunter/dump"
require "leak_hunter/ractors"
require "leak_hunter/recorder/disk"
require "leak_hunter/recorder/envelope"
require "leak_hunter/recorder/failure"
require "leak_hunter/recorder/forked_snapshot"
require "leak_hunter/recorder/names"
require "leak_hunter/recorder/snapshot"
require "leak_hunter/recorder/walked_snapshot"
require "leak_hunter/without_gc"

module LeakHunter
  module Recorder
    # One dump being taken, step by step.
    class Recording
      # At most: what finalizers held dies in the collection after the one that ran them. Beside busy threads there may
      # be new ones each time.
      COLLECTIONS = 3

      COMPACTION = "objects were moved: Ruby #{RUBY_VERSION} forgets where and when a moved object was allocated".freeze
      DISK = "free space was not checked: this platform does not tell it, or LeakHunter's extension is not built"

      # @param own [OwnThread] on which this runs
      # @param snapshot [String] how it is taken: "in_process", "fork" or "walk"
      # @param options [Hash] see {Recorder.dump!} and {Recorder.snapshot!}; and `:fiber`, the one that asked for it
      def initialize(destination, own:, snapshot:, **options)
        @destination = destination
        @own = own
        @kind = snapshot
        @fork = snapshot == "fork"
        @walk = snapshot == "walk"
        @full = options[:full] ? true : false # ObjectSpace takes nothing else for true
        @format, @redact = options.values_at(:format, :redact)
        @gc, @trace, @names, @fiber = options.fetch_values(:gc, :trace, :names, :fiber)
        @ractors = Ractors.count
        @seconds = 0.0
        @warnings = []
      end

      # @return [Dump]
      def take
        Failure.explain(@destination.dir) do
          @destination.prepare
          trace
          free = Disk.free_bytes(@destination.dir)
          @warnings << DISK unless free
          needed = paused { Disk.estimate(format: @format, full: @full) }
          Disk.check(@destination.dir, free, needed)
          write
        end
      end

      private

      # Never dumps what a stopped tracer has left: it tells the places of dead objects for those of living ones.
      def trace
        on = Tracing.on?
        if @trace && !on && Ractors::TRACING_CRASHES && @ractors > 1
          @warnings << Ractors::NOT_TRACED
          @trace = false
        end
        Tracing.ensure_on if @trace
        Tracing.forget_leftovers
        @tracing = Tracing.of_moment
      end

      def write
        envelope = Envelope.prepare(snapshot: @kind, tracing: @tracing, ractors: @ractors, format: @format)
        bytes = nil
        path = @destination.write(envelope) do |io|
          Failure.explain(@destination.dir) { record(io, envelope) }
          bytes = io.size
        end
        dump(path, bytes, envelope)
      end

      def record(io, envelope)
        snapshot = snapshot_of(io, envelope)
        COLLECTIONS.downto(1) do |left|
          moment = -> { paused { at_a_clean_moment(envelope, last: left == 1) { snapshot.take } } }
          # the child keeps the stack of the thread that forks
          break if @fork ? @own.in_caller(&moment) : moment.call

          OwnThread.interruptible { Thread.pass } # finalizers run
        end
        snapshot.finish
        @warnings.concat(snapshot.warnings)
      ensure
        snapshot&.discard
      end

      def snapshot_of(io, envelope)
        return WalkedSnapshot.new(io, envelope, format: @format, names:) if @walk

        (@fork ? ForkedSnapshot : Snapshot).new(io, envelope, format: @format, full: @full, names:)
      end

      def names
        return unless @names
        return Names.new(@seconds, fiber: @fiber, redact: @redact) unless @ractors > 1

        @warnings << Ractors::NO_NAMES
        nil
      end

      # Another thread's turn would bring in collections, which make the stamp wrong, and objects. After the snapshot
      # another collection begins, so that what is made from there on is not of the generation of what the dump holds.
      #
      # @param last [Boolean] whether it is now or never
      # @return [Boolean] false when it was not taken, since finalizers are to run
      def at_a_clean_moment(envelope, last:)
        WithoutGC.run do
          return false unless garbage_gone?(last:)

          envelope.stamp
          @objects = GC.stat(:heap_live_slots)
          yield
        end
        GC.start(full_mark: false, immediate_sweep: false) if @gc
        true
      end

      # Collects it, if that is wanted.
      def garbage_gone?(last:)
        !@gc || WithoutGC.collect(look: !last && @ractors == 1) || last
      end

      def paused
        start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        yield
      ensure
        @seconds += Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
      end

      def dump(path, bytes, envelope)
        Dump.new(path:, bytes:, objects: @objects, generation: envelope.generation,
                 pid: Process.pid, seconds: @seconds, tracing_since: @tracing&.fetch(:time),
                 tracing_generation: @tracing&.fetch(:generation), snapshot: envelope.snapshot,
                 sequence: envelope.sequence, id: envelope.id, taken_at: envelope.taken_at, warnings:)
      end

      def warnings
        @warnings << Format::SECRET if @format.secret?
        @warnings << ForkedSnapshot::WARNING if @fork
        @warnings << COMPACTION if Tracing.moves_spoil? && (Tracing.compacted? || auto_compact?)
        @warnings << Context::FULL if Context.full?
        @warnings << Ractors::NOT_STOPPED if !Ractors::STOPPED && @ractors > 1
        @warnings.freeze
      end

      def auto_compact? = GC.respond_to?(:auto_compact) && GC.auto_compact
    end
  end
end
