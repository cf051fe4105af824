# frozen_string_literal: true

module LeakHunter
  class Report
    # The moments that were compared: when they were, and how far apart.
    class Moments
      include Format

      # @param paths [Array<String>] of dumps, the first of them first
      # @return [String] when what leaked was allocated
      def self.between(paths)
        names = paths.map { |path| Printable.call(File.basename(path)) }
        "allocated between #{names[0]} and #{names[-2]}, alive in #{names[-1]}"
      end

      # @param result [Hash] of a diff
      def initialize(result)
        @dumps = result[:dumps]
        @windows = result[:seconds].to_a
      end

      # @return [Float, nil] seconds from the first to the last; nil where that is not known
      def seconds = (@windows.sum if @windows.any? && @windows.all? { |seconds| seconds&.positive? })

      # @return [String, nil] "pid 22177, 12:57:29 to 12:58:18 UTC"
      def to_s
        first, last = @dumps.values_at(0, -1).map { |dump| time(dump) }
        parts = [("pid #{pid}" if pid), ("#{clock(first, last)} UTC" if first && last)].compact
        parts.join(", ") unless parts.empty?
      end

      # @return [String] when what leaked was allocated
      def between
        paths = @dumps.map { |dump| dump[:path] }
        return Moments.between(paths) if paths.all?

        "allocated between the first moment and the last but one, alive in the last"
      end

      # @return [String, nil] the file of the last moment, where it is one
      def last_path = @dumps.last[:path]

      private

      def pid = @dumps.last.dig(:recorded, :pid)

      # @return [Array<String>, nil] the day and the time of one, to the second
      def time(dump) = dump.dig(:recorded, :taken_at)&.match(/\A(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)/)&.captures

      def clock(first, last) = [first.join(" "), (first[0] == last[0] ? last[1] : last.join(" "))].join(" to ")
    end
  end
end
