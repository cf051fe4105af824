# frozen_string_literal: true

module LeakHunter
  class CLI
    # One line on a terminal that says how far a command is, redrawn at most ten times a second and wiped at the end. It
    # goes from 0 to 100 % once, whatever the steps are, and never back.
    class ProgressBar
      WIDTH = 30
      INTERVAL = 0.1
      WIPE = "\r\e[K"
      DONE = 100

      # @param label [String] what is being done
      # @return [ProgressBar, nil] nil where nobody would see it
      def self.for(io, label, env: ENV)
        terminal = Terminal.new(io, env:)
        new(io, label, width: terminal.width) if terminal.redraws?
      end

      def initialize(io, label, width: Terminal::WIDTH)
        @io = io
        @label = label
        @width = width
        @percent = 0
        @step = 0.0..1.0
      end

      # What follows is a step of the whole.
      #
      # @param part [Float] from 0 to 1: where it ends
      # @return [self]
      def up_to(part)
        @step = @reached.to_f..part
        @reached = part
        self
      end

      def call(done, total)
        part = total.positive? ? [done.fdiv(total), 1.0].min : 1.0
        part = @step.begin + (part * (@step.end - @step.begin))
        @percent = [@percent, (part * DONE).floor].max
        now = Process.clock_gettime(Process::CLOCK_MONOTONIC)
        return if @drawn && now - @drawn < INTERVAL

        @drawn = now
        draw(line)
      end

      def finish
        draw(WIPE) if @drawn
        @drawn = nil
      end

      private

      def draw(text)
        @io.write(text)
        @io.flush
      rescue Errno::EPIPE, Errno::EIO # the terminal is gone; the work goes on
        @drawn = Float::INFINITY
      end

      # As much as there is room for: a line that wraps could not be wiped.
      def line
        percent = "#{@percent} %"
        room = @width - @label.length - percent.length - 4
        return WIPE + percent if room < 5

        size = [room, WIDTH].min
        "#{WIPE}#{@label} [#{("=" * (@percent * size / DONE)).ljust(size)}] #{percent}"
      end
    end
  end
end
