# frozen_string_literal: true

require "leak_hunter/recorder/destination"
require "leak_hunter/recorder/format"
require "leak_hunter/recorder/moment"
require "leak_hunter/recorder/own_thread"
require "leak_hunter/recorder/recording"

module LeakHunter
  # Takes heap dumps of this process: an atomic snapshot beside busy threads, written completely or not at all.
  #
  # A dump is what ObjectSpace.dump_all writes, without what strings hold, between one line more at the start and one at
  # the end (see {Recorder::Envelope}), compressed (see {Recorder::Format}). Only its owner can read the file.
  module Recorder
    @lock = Mutex.new
    @last = nil

    class << self
      # Takes a dump of this process.
      #
      # The work is done on a thread of its own, so that no exception from outside (`Timeout`, `Thread#raise`,
      # `Thread#kill`, a signal) leaves a file, a child process or a switched-off garbage collector behind. Such an
      # exception ends the dump, as soon as everything can be cleaned up.
      #
      # @param file [String, #to_path, nil] the file to write, which must not exist yet; also as `path:`
      # @param dir [String, #to_path, nil] the folder for a file with a name of its own, which sorts by time; made if
      #   need be. {Configuration#dir} unless given
      # @param full [Boolean] whether free slots are written too
      # @param gc [Boolean] whether garbage is collected first, so that the dump has what is alive and nothing else
      # @param trace [Boolean] whether to start allocation tracing when it is off; it stays on then, for the dumps to
      #   come. Without it a dump does not know where and when objects were made
      # @param fork [Boolean] whether a forked child takes the dump: a shorter pause for this process, but objects held
      #   by nothing but the stacks of its other threads have no root in the dump
      # @param names [Boolean] whether the names are added that constants and variables give to their objects, which
      #   takes up to a tenth of the pause more (see {Names})
      # @param values [Symbol] what is written of the contents of Strings and Symbols: `:none`; `:length_and_digest`, by
      #   which equal ones are recognized; `:prefix`, their first 16 characters; `:all`, which makes the file a secret
      # @param compress [Symbol, nil] `:zstd`, `:gzip` or `:none`; unless given, what the file's name says, else `:zstd`
      # @param threads [Integer, :all, nil] how many threads compress; unless given, one core is left to the application
      # @param digest_key [String, nil] 16 bytes, for digests that can be compared between processes; whoever has it can
      #   try guesses
      # @param redact [Boolean, nil] what is left out of the names: nil for names of threads, which are contents; true
      #   for keys of thread-locals and the like, too; false for nothing
      #
      # @return [Dump]
      # @raise [DumpInProgress] while another thread takes one
      # @raise [NotEnoughDisk] before or while writing
      # @raise [Unsupported] without the extension, unless `values: :all, compress: :none`
      # @raise [RecordingError] when anything else prevents it
      def dump!(file = nil, path: nil, dir: nil, full: false, gc: true, trace: true, fork: false, names: true, values: :none, compress: nil, threads: nil, digest_key: nil, redact: nil) # rubocop:disable Naming/MethodParameterName, Layout/LineLength
        format = Format.new(path: file || path, values:, compress:, threads:, digest_key:)
        redact = Arguments.boolean(:redact, redact, optional: true)
        record(fork ? "fork" : "in_process", [file, path, dir], full:, gc:, trace:, names:, format:, redact:)
      end

      # Takes a snapshot of this process: a file that everything reads that reads dumps, with a much shorter pause, and
      # without the contents of Strings, Symbols and numbers (docs/heap_dump_format.md says what is left out). The heap
      # is walked by the extension, and written when the process goes on.
      #
      # @param file [String, #to_path, nil] as of {dump!}; also as `path:`
      # @param dir [String, #to_path, nil] as of {dump!}
      # @param gc [Boolean] as of {dump!}
      # @param trace [Boolean] as of {dump!}
      # @param names [Boolean] as of {dump!}; keys of thread-locals and names of threads are left out
      # @param compress [Symbol, nil] as of {dump!}
      # @param threads [Integer, :all, nil] that write the file; nil leaves one core to the application
      #
      # @return [Dump]
      # @raise [Unsupported] where the heap cannot be walked: without the extension, and beside other Ractors before
      #   Ruby 4.0
      # @raise [DumpInProgress, NotEnoughDisk, RecordingError] as of {dump!}
      def snapshot!(file = nil, path: nil, dir: nil, gc: true, trace: true, names: true, compress: nil, threads: nil) # rubocop:disable Naming/MethodParameterName
        WalkedSnapshot.check
        format = Format.new(path: file || path, compress:, threads:)
        record("walk", [file, path, dir], gc:, trace:, names:, format:, redact: true)
      end

      private

      # @param places [Array] the file twice, and the folder: one is given at most
      def record(snapshot, places, names:, **options)
        raise UsageError, "one of path, path: and dir: is enough" if places.compact.size > 1

        file, path, dir = places
        destination = Destination.new(path: file || path, dir:)
        fiber = Names::Threads.prepare if names
        OwnThread.run do |own|
          exclusively { @last = Recording.new(destination, own:, snapshot:, names:, fiber:, **options).take }
        end
      end

      # A second dump does not wait: it would hold the first one's text. In a forked child the lock is free, since Ruby
      # unlocks there what the parent's other threads held.
      def exclusively
        raise DumpInProgress, "another thread of this process is taking a dump" unless @lock.try_lock

        begin
          yield
        ensure
          @lock.unlock
        end
      end
    end
  end
end
