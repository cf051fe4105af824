# frozen_string_literal: true

require "json"
require "securerandom"
require "leak_hunter/process_identity"
require "leak_hunter/tracing"
require "leak_hunter/version"

module LeakHunter
  module Recorder
    # What a dump says about itself, in one line before and one after the VM's records. Neither has an "address", so
    # tools that know nothing of them pass over them.
    class Envelope
      SCHEMA = 1

      attr_reader :id, :sequence, :taken_at, :generation, :snapshot, :first_line

      # @param snapshot [String] how the dump is taken: "in_process" or "fork"
      # @param tracing [Hash, nil] see {Tracing.since}
      def initialize(snapshot:, tracing:)
        @snapshot = snapshot
        @tracing_generation = tracing&.fetch(:generation)
        @id = format("%032x", SecureRandom.random_number(2**128))
        @pid = Process.pid
        @host = ProcessIdentity.host
        @generation = nil
        @sequence = ProcessIdentity.next_sequence
      end

      # @param generation [Integer] GC.count at the moment of the snapshot
      def stamp(generation)
        @generation = generation
        @compactions = Tracing.compactions
        @taken_at = Time.now.utc.floor(6)
        @first_line = line(**to_h)
      end

      # @param members [Hash] what else it says
      def last_line(**members) = line(type: "DUMP_END", id: @id, **members)

      # @return [Boolean] whether no collection has made the stamp wrong
      def current? = @generation == GC.count && @compactions == Tracing.compactions

      # @return [String] a file name that sorts by time, and by sequence where the clock stood still
      def file_name
        format("%<time>s-%<host>s-pid%<pid>d-%<sequence>04d.json",
               time: @taken_at.strftime("%Y%m%dT%H%M%S.%6NZ"), host: @host.gsub(/[^A-Za-z0-9.-]/, "_")[0, 64],
               pid: @pid, sequence: @sequence)
      end

      # @return [Hash{Symbol => Object}] what the first line says
      def to_h
        { type: "DUMP", leak_hunter: VERSION, schema: SCHEMA, id: @id, boot: ProcessIdentity.boot, pid: @pid,
          host: @host, sequence: @sequence, taken_at: @taken_at.strftime("%Y-%m-%dT%H:%M:%S.%6NZ"),
          ruby: RUBY_VERSION, platform: RUBY_PLATFORM, generation: @generation, compactions: @compactions,
          tracing_since: @tracing_generation, snapshot: @snapshot }
      end

      private

      # As ObjectSpace spaces its lines.
      def line(**members)
        "{#{members.map { |name, value| "#{JSON.generate(name)}:#{JSON.generate(value)}" }.join(", ")}}\n"
      end
    end
  end
end
