# frozen_string_literal: true

require "leak_hunter/recorder/own_thread"

module LeakHunter
  module Recorder
    # The heap of one moment, in two steps: {#take} while nothing else may run in this process, then {#finish}, while
    # everything may. {#discard} frees what an unfinished one holds.
    class Snapshot
      # @return [Class] the kind that is atomic on this Ruby
      def self.in_process = RUBY_VERSION.to_f < 3.4 ? InMemory : ToFile

      # @param io [File] opened for reading and writing, empty
      # @param full [Boolean] whether free slots are written too
      # @param names [Names, nil] those to read and write too
      def initialize(io, envelope, full:, names: nil)
        @io = io
        @envelope = envelope
        @full = full
        @names = names
      end

      def take
        start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        dump
        @names&.read(Process.clock_gettime(Process::CLOCK_MONOTONIC) - start)
      end

      def discard = @names&.clear

      private

      # A whole dump ends with a whole record; Ruby does not tell when the end got lost on its way to the file.
      def seal
        @io.flush
        size = @io.size
        raise IOError, "it is cut off at byte #{size}" unless @io.pread(2, size - 2) == "}\n"

        write(*ending)
      end

      def ending = [@names ? @names.text : "", @envelope.last_line(**(@names ? @names.to_h : {}))]

      # As long as it takes, this may be interrupted. Several pieces go to the system at once.
      def write(*pieces)
        OwnThread.interruptible do
          @io.write(*pieces)
          @io.flush
        end
      end

      # Ruby 3.4 and later hold the GVL while they write to a file.
      class ToFile < Snapshot
        def finish = seal

        private

        # Written without the GVL's release that IO#write brings: other threads would take turns after the stamp.
        def dump
          line = @envelope.first_line
          raise Errno::ENOSPC unless @io.write_nonblock(line) == line.bytesize

          ObjectSpace.dump_all(output: @io, full: @full)
        end
      end

      # Earlier Rubies let other threads run, and change the heap, whenever they write to a file. They do not while they
      # make a String of it, which must be gone before the next dump: it would hold this one as its text.
      class InMemory < Snapshot
        # In one piece: each write gives other threads a turn.
        def finish
          raise IOError, "it is cut off" unless @text.end_with?("}\n")

          write(@envelope.first_line, @text, *ending)
          free
        end

        def discard
          super
          free
        end

        private

        def dump
          @text = ObjectSpace.dump_all(output: :string, full: @full)
        end

        def free
          @text&.clear
          @text = nil
        end
      end

      private_constant :ToFile, :InMemory
    end
  end
end
