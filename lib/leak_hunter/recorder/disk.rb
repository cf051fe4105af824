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
      # What a dump may grow by against the last one, in bytes for each slot.
      GROWTH = 1.2

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

      # @param last [Dump, nil] the last dump of this process that was taken in this way
      # @param contents [Boolean] whether it will have what is in Strings
      # @return [Integer, nil] bytes that a dump may take now; nil where that is not known
      def estimate(last:, full:, contents: true)
        slots = GC.stat(:heap_live_slots) + (full ? GC.stat(:heap_free_slots) : 0)
        return (slots * GROWTH * last.bytes / last.objects).ceil if last
        return slots * BYTES_PER_SLOT unless contents
        return if Ractors.running? # the size of all Strings is asked for by a walk of the heap

        (slots * BYTES_PER_SLOT) + ObjectSpace.memsize_of_all(String)
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
