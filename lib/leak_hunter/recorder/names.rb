# frozen_string_literal: true

require "leak_hunter/recorder/names/globals"
require "leak_hunter/recorder/names/ledger"
require "leak_hunter/recorder/names/modules"
require "leak_hunter/recorder/names/private_constants"
require "leak_hunter/recorder/names/threads"
require "leak_hunter/uninterrupted"

module LeakHunter
  module Recorder
    # What a dump lacks: the names by which constants, variables of modules, globals, and locals of threads hold their
    # objects. Only the process itself knows them. They are read right after the snapshot, while an address is still the
    # same object, without running any of the application's code, and written as lines between the snapshot and the
    # last line of the dump.
    class Names
      # At most this part of the time for which the process is paused for the dump...
      SHARE = 0.1
      # ...but always so long, in seconds: the modules of a small heap take no less time than those of a big one.
      LEAST = 0.05

      # In the order in which they are read: what is most likely to explain a leak comes first.
      SOURCES = [Threads, Globals, Modules, PrivateConstants, Modules::Nested].freeze

      # @return [String] the lines
      attr_reader :text

      # @return [Integer] how many
      attr_reader :count

      # Makes Ruby do now what it does once and keeps: done after the snapshot it would show up in the next one.
      #
      # @param pause [Float] seconds for which the process has been paused so far
      # @param fiber [Fiber, nil] the one that asked for the names, see {Threads.prepare}
      # @param redact [Boolean, nil] what is left out: nil for names of threads, true for keys of thread-locals and the
      #   like, too, false for nothing
      def initialize(pause, fiber: Threads.prepare, redact: nil)
        @pause = pause
        @fiber = fiber
        @redact = redact
        @text = ""
        @count = 0
        @complete = false
      end

      # Reads as many names as there is time for. It never raises: a dump is good without them. What another thread
      # raises in this one, a timeout for one, waits until it is done.
      #
      # @param seconds [Float] how long the snapshot took
      # @return [void]
      def read(seconds) = Thread.handle_interrupt(Uninterrupted::NEVER) { read_all(seconds) }

      # @return [Hash] what the dump's last line says about them
      def to_h = { names: count, names_complete: @complete }

      # Frees the text, which the next dump would hold.
      def clear
        @text.clear unless @text.frozen?
        @text = ""
      end

      private

      def read_all(seconds)
        generation = GC.count
        ledger = Ledger.new([(@pause + seconds) * SHARE, LEAST].max, redact: @redact)
        complete = [Threads::Storage.new(@fiber), *SOURCES].map { |source| read_from(source, ledger) }.all?
        # Another thread made Ruby collect: a slot that the snapshot shows may have another object by now.
        return unless GC.count == generation

        @text = ledger.text
        @count = ledger.count
        @complete = complete
      rescue StandardError, NoMemoryError, SystemStackError
        nil
      ensure
        ledger&.forget
      end

      # @return [Boolean] whether all were read
      def read_from(source, ledger)
        catch(:late) { source.read(ledger) && ledger.flush }
      rescue StandardError
        false
      end
    end
  end
end
