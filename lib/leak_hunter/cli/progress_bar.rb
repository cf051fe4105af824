# frozen_string_literal: true

module LeakHunter
  class CLI
    # One line on a terminal that says how far the reading is, redrawn at most ten times a second and wiped at the end.
    class ProgressBar
      WIDTH = 30
      INTERVAL = 0.1
      WIPE = "\r\e[K"

      # @return [ProgressBar, nil] nil where nobody would see it
      def self.for(io, env: ENV)
        new(io) if Terminal.new(io, env:).redraws?
      end

      def initialize(io)
        @io = io
      end

      def call(done, total)
        now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        return if @drawn && now - @drawn < INTERVAL

        @drawn = now
        @io.write(line(done, total))
        @io.flush
      rescue Errno::EPIPE, Errno::EIO # the terminal is gone; the work goes on
        @drawn = Float::INFINITY
      end

      def finish
        return unless @drawn

        @io.write(WIPE)
        @io.flush
      rescue Errno::EPIPE, Errno::EIO
        nil
      end

      private

      def line(done, total)
        part = total.positive? ? [done.fdiv(total), 1.0].min : 1.0
        full = (part * WIDTH).floor
        bar = ("=" * full).ljust(WIDTH)
        "#{WIPE}reading dumps [#{bar}] #{(part * 100).floor} % of #{Report::Format.bytes(total)}"
      end
    end
  end
end
