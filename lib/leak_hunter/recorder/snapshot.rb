# frozen_string_literal: true

module LeakHunter
  module Recorder
    # The heap of one moment, in two steps: {#take} while nothing else may run in this process, then {#finish}, while
    # everything may. {#discard} frees what an unfinished one holds.
    class Snapshot
      # @param io [File] opened for reading and writing, empty
      # @param format [Format] what is written
      # @param full [Boolean] whether free slots are written too
      # @param names [Names, nil] those to read and write too
      def initialize(io, envelope, full:, format:, names: nil)
        @io = io
        @envelope = envelope
        @format = format
        @full = full
        @names = names
      end

      # A String of the heap is made without any other thread running. Ruby before 3.4 lets them run, and change it,
      # whenever it writes to a file; and a file would have the secrets.
      def take
        start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        dump
        @names&.read(Process.clock_gettime(Process::CLOCK_MONOTONIC) - start)
      end

      # Writes it. A whole dump ends with a whole record.
      def finish
        raise IOError, "it is cut off" unless @text.end_with?("}\n")

        @format.write(@io, @envelope.first_line, @text, [@stacks, *ending].join)
        free
      end

      # @return [Array<String>] what is to be known of it, after {#finish}
      def warnings = []

      # The text must be gone before the next dump: that would hold it.
      def discard
        @names&.clear
        free
      end

      private

      # What LeakHunter's own tracer knows is not in the text: it is noted in the same moment, and put in later.
      def dump
        @text = ObjectSpace.dump_all(output: :string, full: @full)
        return unless Tracing.own? && @envelope.traced?

        Native.note_births
        @stacks = Native.trace_stacks
      end

      def ending = [@names ? @names.text : "", @envelope.last_line(**facts)]

      # What the last line says of it.
      def facts = @names ? @names.to_h : {}

      def free
        Native.forget_births if @stacks
        @stacks = nil
        @text&.clear
        @text = nil
      end
    end
  end
end
