# frozen_string_literal: true

require "leak_hunter/dump"
require "leak_hunter/recorder/disk"
require "leak_hunter/recorder/envelope"
require "leak_hunter/recorder/failure"
require "leak_hunter/recorder/forked_snapshot"
require "leak_hunter/recorder/names"
require "leak_hunter/recorder/snapshot"
require "leak_hunter/tracing"

module LeakHunter
  module Recorder
    # One dump being taken, step by step.
    class Recording
      # One collection is not enough: what finalizers held dies in the next. Beside busy threads the count of live
      # objects may never settle. One more comes right before the snapshot.
      COLLECTIONS = (2..9)

      COMPACTION = "objects were moved: Ruby #{RUBY_VERSION} forgets where and when a moved object was made".freeze
      RACTORS = "other Ractors were running, which Ruby #{RUBY_VERSION} does not stop for a dump".freeze

      # @param last [Dump, nil] the last dump of this process
      def initialize(destination, full:, gc:, trace:, fork:, names:, last:) # rubocop:disable Naming/MethodParameterName
        @destination = destination
        @last = last
        @full = full ? true : false # ObjectSpace takes nothing else for true
        @gc = gc
        @trace = trace
        @fork = fork
        @names = names
        @seconds = 0.0
      end

      # @return [Dump]
      def take
        Failure.explain(@destination.dir) do
          prepare
          free = Disk.free_bytes(@destination.dir)
          collect if @gc
          needed = stand_still { Disk.estimate(last: @last, full: @full) }
          Disk.check(@destination.dir, free, needed)
          write
        end
      end

      private

      # Never dumps what a stopped tracer has left: it tells the places of dead objects for those of living ones.
      def prepare
        @destination.prepare
        if @trace
          Tracing.ensure_on
        elsif !Tracing.on?
          Tracing.clear
        end
        @tracing = Tracing.since
      end

      # Until a collection frees nothing any more.
      def collect
        live = nil
        COLLECTIONS.end.times do |done|
          stand_still { GC.start }
          before = live
          live = GC.stat(:heap_live_slots)
          break if done + 1 >= COLLECTIONS.begin && live >= before
        end
      end

      def write
        envelope = Envelope.new(snapshot: @fork ? "fork" : "in_process", tracing: @tracing)
        bytes = nil
        path = @destination.write(envelope) do |io|
          Failure.explain(@destination.dir, io) { record(io, envelope) }
          bytes = io.size
        end
        dump(path, bytes, envelope)
      end

      def record(io, envelope)
        names = Names.new(@seconds) if @names
        snapshot = (@fork ? ForkedSnapshot : Snapshot.in_process).new(io, envelope, full: @full, names:)
        stand_still { at_a_clean_moment(envelope) { snapshot.take } }
        snapshot.finish
      ensure
        snapshot&.discard
      end

      # The stamp's own garbage goes with the last collection, so it is made for the generation to come; what one made
      # after it leaves would be in the dump. That takes a GC.start that some other thread calls in between, or
      # compaction. After the snapshot another collection begins, so that what is made from there on is not of the
      # generation of what the dump holds.
      def at_a_clean_moment(envelope)
        without_gc do
          if @gc
            envelope.stamp(GC.count + 1)
            GC.start
          end
          envelope.stamp(GC.count) unless envelope.current?
          @objects = GC.stat(:heap_live_slots)
          yield
        end
        GC.start(full_mark: false, immediate_sweep: false) if @gc
      end

      # Collections that another thread's turn brings in would make the stamp wrong. GC.start collects all the same.
      def without_gc
        disabled = GC.disable
        yield
      ensure
        GC.enable unless disabled
      end

      def stand_still
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
        [
          (ForkedSnapshot::WARNING if @fork),
          (COMPACTION if Tracing::FORGETS_MOVED && (Tracing.compacted? || auto_compact?)),
          (RACTORS if RUBY_VERSION.to_f < 4.0 && Ractor.count > 1)
        ].compact.freeze
      end

      def auto_compact? = GC.respond_to?(:auto_compact) && GC.auto_compact
    end
  end
end
