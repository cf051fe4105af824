# frozen_string_literal: true

module LeakHunter
  module Tracing
    # Keeps sampling within its share of the process's CPU time: allocations are reported for a short time, and then not
    # until the process has worked long enough. What is spent is measured: the time that remembering and forgetting
    # took, what an event takes times their number, and this thread's own time.
    class Pulses
      # Seconds. A pulse may last longer where other threads leave this one no turn; it ends by itself after 0.02.
      LENGTH = 0.005
      # Looking whether it is time takes up to 0.25 milliseconds. Each 25 milliseconds, that alone would be 1 %.
      RESTS = 0.25..1.0
      # Threads inherit the mask of who starts them: neither {#stop} nor the end of the process would end this one.
      ANY_TIME = { Object => :immediate }.freeze
      private_constant :LENGTH, :RESTS, :ANY_TIME

      # @param budget [Float] a share
      def initialize(budget)
        @budget = budget
        @random = Random.new # of its own: the application's sequence stays as it is
        @start = cpu
        @event = Native.event_nanoseconds / 1e9
        @before = cpu - @start
        Native.sampling_pulse(false)
        @thread = Thread.new { Thread.handle_interrupt(ANY_TIME) { run } }
        @thread.name = "LeakHunter tracing"
      end

      # @return [Boolean] false in a forked child, too
      def alive? = @thread.alive?

      # @return [void]
      def stop
        @thread.kill
        @thread.join
      end

      private

      def run
        while rest
          Native.sampling_pulse(true)
          # not always as long, so that nothing periodic falls in with it
          sleep(LENGTH * (0.5 + @random.rand))
          Native.sampling_pulse(false)
        end
      end

      # @return [Boolean] whether to go on
      def rest
        loop do
          facts = Native.sampling or return false
          wanted = (spent(facts) / @budget) - (cpu - @start)
          return true unless wanted.positive?

          sleep(wanted.clamp(RESTS))
        end
      end

      def spent(facts)
        @before + facts[:seconds] + (facts[:reported] * @event) +
          Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID)
      end

      def cpu = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)
    end
    private_constant :Pulses
  end
end
