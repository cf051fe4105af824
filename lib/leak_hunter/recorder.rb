# frozen_string_literal: true

require "leak_hunter/recorder/destination"
require "leak_hunter/recorder/own_thread"
require "leak_hunter/recorder/recording"

module LeakHunter
  # Takes heap dumps of this process: an atomic snapshot beside busy threads, written completely or not at all.
  #
  # A dump is what ObjectSpace.dump_all writes, between one line more at the start and one at the end (see
  # {Recorder::Envelope}). It may hold any string of the process, passwords too, so only its owner can read the file.
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
      #
      # @return [Dump]
      # @raise [DumpInProgress] while another thread takes one
      # @raise [NotEnoughDisk] before or while writing
      # @raise [RecordingError] when anything else prevents it
      def dump!(file = nil, path: nil, dir: nil, full: false, gc: true, trace: true, fork: false, names: true) # rubocop:disable Naming/MethodParameterName
        raise UsageError, "one of path, path: and dir: is enough" if [file, path, dir].compact.size > 1

        destination = Destination.new(path: file || path, dir:)
        options = { full:, gc:, trace:, fork:, names:, fiber: (Names::Threads.prepare if names) }
        OwnThread.run do |own|
          exclusively { @last = Recording.new(destination, own:, last: @last, **options).take }
        end
      end

      private

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
