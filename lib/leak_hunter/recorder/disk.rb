# frozen_string_literal: true

require "objspace"

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

      module_function

      # Ruby's standard library has no statvfs, so this asks `df`, as POSIX has it; Ruby starts it by vfork where there
      # is one, so a big process pays little.
      #
      # @return [Integer, nil] bytes that the folder's disk has left; nil where that cannot be found out
      def free_bytes(dir)
        df = IO.popen([{ "LC_ALL" => "C" }, "df", "-Pk", dir, { err: File::NULL }], &:read)
        df[/\s\d+\s+\d+\s+(\d+)\s+(?:\d+%|-)\s/, 1]&.then { |kilobytes| kilobytes.to_i * 1024 }
      rescue SystemCallError
        nil
      end

      # @param last [Dump, nil] the last dump of this process
      # @return [Integer] bytes that a dump may take now
      def estimate(last:, full:)
        slots = GC.stat(:heap_live_slots) + (full ? GC.stat(:heap_free_slots) : 0)
        return (slots * GROWTH * last.bytes / last.objects).ceil if last

        (slots * BYTES_PER_SLOT) + ObjectSpace.memsize_of_all(String)
      end

      # @raise [NotEnoughDisk]
      def check(dir, free, needed)
        return if free.nil? || free >= needed + RESERVE

        raise NotEnoughDisk, "#{dir} has #{free} bytes free; the dump needs about #{needed}, " \
                             "and #{RESERVE} more must stay free"
      end
    end
  end
end
