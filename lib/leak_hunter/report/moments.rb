# frozen_string_literal: true

module LeakHunter
  class Report
    # The moments that were compared: when they were, and how far apart.
    class Moments
      include Format

      # @param dumps [Array<Hash>] of a result
      def initialize(dumps)
        @dumps = dumps
        @recorded = dumps.map { |dump| dump[:recorded] }
      end

      # @return [Integer] how many there are
      def count = @dumps.size

      # @return [Float, nil] seconds from the first to the last; nil where that is not known
      def seconds
        first, last = times.values_at(0, -1)
        last - first if first && last && last > first
      end

      # @return [String, nil] "pid 22177, 12:57:29 to 12:58:18 UTC"
      def to_s
        first, last = times.values_at(0, -1)
        parts = [("pid #{pid}" if pid), ("#{clock(first, last)} UTC" if first && last)].compact
        parts.join(", ") unless parts.empty?
      end

      # @return [String, nil] the file of the last moment, where it is one
      def last_path = @dumps.last&.dig(:path)

      private

      def pid = @recorded.last&.fetch(:pid, nil)

      def times
        @times ||= @recorded.map do |recorded|
          date, clock = recorded&.fetch(:taken_at, nil)&.match(/\A(\d{4}-\d\d-\d\d)T([\d:.]+)Z\z/)&.captures
          date && Time.utc(*date.split("-").map(&:to_i), *clock.split(":").then { |h, m, s| [h.to_i, m.to_i, s.to_r] })
        rescue ArgumentError
          nil
        end
      end

      def clock(first, last)
        same_day = first.strftime("%F") == last.strftime("%F")
        "#{first.strftime("%F %T")} to #{last.strftime(same_day ? "%T" : "%F %T")}"
      end
    end
  end
end
