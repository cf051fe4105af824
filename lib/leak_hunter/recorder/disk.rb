# frozen_string_literal: true

require "leak_hunter/ractors"

module LeakHunter
  module Recorder
    # Whether a dump will fit on the disk.
    module Disk
      # Left free beside the dump.
      RESERVE = 16 * (1024**2)
      # Bytes that a slot takes in a dump, traced, strings' text apart: 255 to 270 were measured.
      BYTES_PER_SLOT = 320
      # What compressing makes of them at least: 15 to 20 times less was measured, 4 times less is counted on.
      PACKED = 4

      # What the extension's answer consists of. Symbols that no Ruby code has would be made for each answer, and
      # be garbage in the dump.
      MEMBERS = %i[free_bytes total_bytes block_size].freeze
      private_constant :MEMBERS

      module_function

      # Ruby's standard library does not know it, LeakHunter's extension does.
      #
      # @return [Integer, nil] bytes that the folder's disk has left; nil where that is not known
      def free_bytes(dir)
        Native.disk_space(dir).fetch(MEMBERS.first) if Native.respond_to?(:disk_space)
      rescue LoadError, Error, SystemCallError
        nil
      end

      # Never too low: strings that are written count whole, since there is text that nothing makes smaller.
      #
      # @param format [Format] what is written
      # @return [Integer, nil] bytes that a dump may take now; nil where that is not known
      def estimate(format:, full:)
        slots = GC.stat(:heap_live_slots) + (full ? GC.stat(:heap_free_slots) : 0)
        records = slots * BYTES_PER_SLOT / (format.compress == :none ? 1 : PACKED)
        return records unless format.secret?
        return if Ractors.running? # the size of all Strings is asked for by a walk of the heap

        records + ObjectSpace.memsize_of_all(String)
      end

      # @raise [NotEnoughDisk]
      def check(dir, free, needed)
        return if free.nil? || needed.nil? || free >= needed + RESERVE

        raise NotEnoughDisk, "#{dir} has #{free} bytes free; the dump needs about #{needed}, " \
                             "and #{RESERVE} more must stay free"
      end
    end
  end
end
