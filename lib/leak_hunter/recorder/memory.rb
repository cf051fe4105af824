# frozen_string_literal: true

require "leak_hunter/recorder/timestamp"

module LeakHunter
  module Recorder
    # What the process takes at a moment, as Linux and the collector count it. {#read} and {#append} make no objects:
    # they would be in the dump.
    class Memory
      # Each with the key of GC.stat that it comes from. The first two are read by the extension.
      FACTS = {
        rss: nil, shared: nil, heap_bytes: :heap_allocated_pages, live_slots: :heap_live_slots,
        free_slots: :heap_free_slots, malloc_increase: :malloc_increase_bytes,
        oldmalloc_increase: :oldmalloc_increase_bytes
      }.freeze
      KEYS = FACTS.keys.map.with_index { |name, index| "#{index.zero? ? "{" : ", "}\"#{name}\":".freeze }.freeze
      # GC.stat raises an error for a key that it does not have.
      STATS = FACTS.values.map { |key| key if GC.stat.key?(key) }.freeze
      PAGE = GC::INTERNAL_CONSTANTS[:HEAP_PAGE_SIZE]
      # Bytes for what {#append} adds: 20 digits each.
      ROOM = KEYS.sum(&:bytesize) + (20 * KEYS.size) + 1

      FIRST_STAT = 2
      private_constant :FACTS, :KEYS, :STATS, :FIRST_STAT

      def initialize
        @values = Array.new(KEYS.size)
        @native = Native if Native.respond_to?(:resident_set)
      rescue LoadError, Error
        @native = nil # without the extension there are dumps all the same
      end

      # @return [void]
      def read
        known = @native&.resident_set(@values)
        @values[0] = @values[1] = nil unless known
        index = FIRST_STAT
        while index < STATS.size
          @values[index] = STATS[index] && GC.stat(STATS[index])
          index += 1
        end
        @values[FIRST_STAT] = PAGE && @values[FIRST_STAT] && (@values[FIRST_STAT] * PAGE)
        nil
      end

      # @param text [String] with {ROOM} for it
      # @return [void]
      def append(text)
        index = 0
        while index < KEYS.size
          text << KEYS[index]
          number = @values[index]
          number ? Timestamp.append_number(text, number) : text << "null"
          index += 1
        end
        text << "}"
        nil
      end

      # @return [Hash{Symbol => Integer, nil}]
      def to_h = FACTS.keys.zip(@values).to_h.freeze
    end
  end
end
