# frozen_string_literal: true

require "leak_hunter/process_identity"
require "leak_hunter/recorder/json_text"
require "leak_hunter/recorder/memory"
require "leak_hunter/recorder/own_thread"
require "leak_hunter/recorder/timestamp"
require "leak_hunter/version"

module LeakHunter
  module Recorder
    # What a dump says about itself, in one line before and one after the VM's records. Neither has an "address", so
    # tools that know nothing of them pass over them.
    #
    # All that is known beforehand is written beforehand, on a thread that ends, so that nothing refers to its garbage.
    # {#stamp} adds what only the moment knows, and makes no objects: they would be in the dump.
    class Envelope
      SCHEMA = 1

      # Where LeakHunter's own code is in this process: its objects are no leaks of the application.
      OWN_PATH = File.expand_path("..", __dir__).freeze

      # Bytes for what {#stamp} adds.
      ROOM = 256 + Memory::ROOM
      private_constant :ROOM

      attr_reader :id, :sequence, :generation, :snapshot, :first_line

      # @param options [Hash] see {#initialize}
      # @return [Envelope]
      def self.prepare(**options) = OwnThread.run { new(**options).rehearse }

      # For a mark, which has no dump that could show its garbage, and so need not wait for another thread's turn.
      #
      # @return [Envelope] stamped
      def self.now(**options) = new(**options).tap(&:rehearse)

      private_class_method :new

      # @param snapshot [String] how the dump is taken: "in_process", "fork" or "walk"
      # @param tracing [Hash, nil] see {Tracing.since}
      # @param ractors [Integer] how many there are
      # @param format [Format, nil] of the file; nil of a mark
      def initialize(snapshot:, tracing:, ractors: 1, format: nil)
        @snapshot = snapshot
        @format = format
        @tracing_generation = tracing&.fetch(:generation)
        @tracer = tracing[:mode].to_s if @tracing_generation
        @sampling = tracing[:sampling] if @tracing_generation
        @ractors = ractors
        @id = ProcessIdentity.random(16)
        @pid = Process.pid
        @host = ProcessIdentity.host
        @sequence = ProcessIdentity.next_sequence
        @memory = Memory.new
      end

      # Ruby makes the caches of a method's calls and constants when it runs.
      #
      # @return [Envelope] itself, ready for {#stamp}
      def rehearse
        write_ahead
        stamp
        taken_at
        write_ahead
        self
      end

      # @return [Boolean] whether LeakHunter's tracing is that of the moment
      def traced? = !@tracing_generation.nil?

      # @return [void]
      def stamp
        @memory.read
        @generation = GC.count
        @compactions = Tracing.compactions
        @microseconds = Timestamp.now
        Timestamp.append(@first_line, @microseconds)
        Timestamp.append_number(@first_line << @before_generation, @generation)
        Timestamp.append_number(@first_line << @before_compactions, @compactions)
        @memory.append(@first_line << @before_memory)
        @first_line << @rest
        nil
      end

      # @param members [Hash] what else it says
      def last_line(**members) = line(type: "DUMP_END", id: @id, **members)

      # @return [Time] in UTC
      def taken_at = Time.at(@microseconds.quo(Timestamp::MICROSECONDS)).utc.floor(6)

      # @return [String] a file name that sorts by time, and by sequence where the clock did not advance
      def file_name
        format("%<time>s-%<host>s-pid%<pid>d-%<sequence>04d%<suffix>s",
               time: taken_at.strftime("%Y%m%dT%H%M%S.%6NZ"), host: @host.gsub(/[^A-Za-z0-9.-]/, "_")[0, 64],
               pid: @pid, sequence: @sequence, suffix: @format&.suffix || ".json")
      end

      # @return [Hash{Symbol => Object}] what the first line says
      def to_h
        identity.merge(taken_at: taken_at.strftime("%Y-%m-%dT%H:%M:%S.%6NZ"), ruby: RUBY_VERSION,
                       platform: RUBY_PLATFORM, generation: @generation, compactions: @compactions,
                       memory: @memory.to_h).merge(state)
      end

      private

      def identity
        { type: "DUMP", leak_hunter: VERSION, schema: SCHEMA, id: @id, boot: ProcessIdentity.boot, pid: @pid,
          host: @host, sequence: @sequence }
      end

      def state
        { tracing_since: @tracing_generation, tracer: @tracer, snapshot: @snapshot, own_path: OWN_PATH,
          **(@sampling ? { sampling: @sampling } : {}),
          **(@format ? { values: @format.values.to_s } : {}), **(@ractors > 1 ? { ractors: @ractors } : {}) }
      end

      # The pieces of {#to_h}, in its order.
      def write_ahead
        start = "{#{members(**identity)}, \"taken_at\":\""
        @before_generation = "\", #{members(ruby: RUBY_VERSION, platform: RUBY_PLATFORM)}, \"generation\":"
        @before_compactions = ", \"compactions\":"
        @before_memory = ", \"memory\":"
        @rest = ", #{members(**state)}}\n"
        pieces = [start, @before_generation, @before_compactions, @before_memory, @rest]
        @first_line = String.new(start, capacity: pieces.sum(&:bytesize) + ROOM)
      end

      def line(**members) = "{#{members(**members)}}\n"

      # As ObjectSpace spaces its lines.
      def members(**members) = members.map { |name, value| "\"#{name}\":#{json(value)}" }.join(", ")

      def json(value)
        case value
        when String then JSONText.quote(value)
        when nil then "null"
        when Hash then "{#{members(**value)}}"
        when Array then "[#{value.map { |item| json(item) }.join(", ")}]"
        else value.to_s
        end
      end
    end
  end
end
