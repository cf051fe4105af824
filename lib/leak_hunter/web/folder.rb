# frozen_string_literal: true

require "leak_hunter/output_file"
require "leak_hunter/web/dump_file"
require "leak_hunter/web/problem"

module LeakHunter
  class Web
    # The directory of dumps, of all processes that write there, as one request sees it: it is listed once. Each file
    # costs a few system calls, and beside busy threads each of those waits for its turn.
    class Folder
      # As many dumps as a diff takes.
      DIFF = 3

      def initialize(dir)
        @dir = dir
        @unfinished = []
      end

      # @return [Array<DumpFile>] oldest first, without those that {prune} has deleted
      def dumps = @dumps ||= list

      # @return [Array<DumpFile>] of this process, in the order in which they were taken
      def own = dumps.select(&:this_process?).sort_by(&:sequence)

      # @return [DumpFile]
      # @raise [Problem]
      def find(id) = DumpFile.find(@dir, id) || raise(Problem.new(404, "NoSuchDump", "no such dump"))

      # Deletes the oldest dumps until the others are within the limits; see {Web}.
      #
      # @return [Array<DumpFile>] what was deleted
      def prune(max_dumps:, max_bytes:)
        kept = dumps.select(&:recorded_name?)
        spared = own.select(&:recorded_name?).last([DIFF, max_dumps].min)
        deleted = (kept - spared).each_with_object([]) do |dump, gone|
          break gone if kept.size <= max_dumps && kept.sum(&:bytes) + unfinished_bytes <= max_bytes

          kept.delete(dump)
          gone << dump if dump.delete
        rescue SystemCallError
          next # another user's, for example
        end
        @dumps -= deleted
        deleted
      end

      private

      # Of dumps that are being written, by any process, or whose process was killed; the next dump removes those.
      def unfinished_bytes
        @unfinished_bytes ||= @unfinished.sum { |name| File.size?(File.join(@dir, name)) || 0 }
      end

      def list
        names = Dir.children(@dir)
        @unfinished = names.select { |name| OutputFile.temporary?(name) }
        names.filter_map { |name| DumpFile.of(@dir, name) }.uniq(&:id)
             .sort_by { |dump| [dump.taken_at, dump.pid, dump.sequence, dump.id] }
      rescue Errno::ENOENT
        []
      end
    end
  end
end
