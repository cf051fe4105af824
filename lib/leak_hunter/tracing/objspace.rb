# frozen_string_literal: true

require "leak_hunter/ractors"
require "leak_hunter/tracing/start"
require "objspace"

module LeakHunter
  module Tracing
    # The VM's own tracer, in its extension objspace.
    #
    # The VM keeps one table and one count of starts and stops for the whole process, shared by all tools. LeakHunter
    # holds at most one start of its own, so that another tool's stop does not end its tracing, and undoes only that
    # one. What others did to the table all the same is found out: {on?} tries it, {since} looks for a marker object.
    module Objspace
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

      @random = Random.new # of its own: the application's sequence stays as it is
      @held = false
      @start = nil

      class << self
        # Whether allocations are being traced, by whomever. The VM does not tell, so this makes objects and looks.
        def on?
          2.times.any? { seen? } # another tool may empty the table just now
        end

        # Whether LeakHunter traces, as far as it knows.
        def held?
          refresh
          @held
        end

        def ensure_started
          begin_tracing unless refresh
        end

        # @return [Start, nil]
        def since = refresh

        def stop
          refresh
          ObjectSpace.trace_object_allocations_stop if @held
          @held = false
          @start = nil
          forget_leftovers
        end

        # Without the tracer the VM no longer drops the records of dead objects (Ruby <= 4.0): they are wrong wherever
        # it has reused a slot since.
        def forget_leftovers
          ObjectSpace.trace_object_allocations_clear unless on?
        end

        def clear
          refresh
          ObjectSpace.trace_object_allocations_clear
          mark if @held
        end

        # @return [Hash{Symbol => Object}, nil] see {Tracing.allocation}
        def allocation(object)
          generation = ObjectSpace.allocation_generation(object)
          generation && { file: ObjectSpace.allocation_sourcefile(object), line: line_of(object),
                          method: ObjectSpace.allocation_method_id(object), generation: }
        end

        private

        # 0 is no line
        def line_of(object)
          line = ObjectSpace.allocation_sourceline(object)
          line unless line.zero?
        end

        # Whether the VM knows on which lines some objects were made.
        def seen?
          probes = Array.new(COINS) { PROBES[@random.rand(2)] }
          objects = probes.map(&:call)
          objects.zip(probes).all? do |object, probe|
            ObjectSpace.allocation_sourceline(object) == probe.source_location.last
          end
        end

        def begin_tracing
          unless @held
            refuse_ractors
            forget_leftovers
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
          @start = Start.new(marker, ObjectSpace.allocation_generation(marker), Time.now, Tracing.compactions)
        end

        # Drops what is no longer true of {Start} and whether we hold one.
        def refresh
          @held &&= on?
          @start = nil unless @held && @start && untouched?
          @start
        end

        def untouched?
          ObjectSpace.allocation_generation(@start.marker) == @start.generation ||
            (FORGETS_MOVED && Tracing.compactions > @start.compactions)
        end
      end
    end
  end
end
