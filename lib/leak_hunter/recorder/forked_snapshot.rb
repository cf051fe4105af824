# frozen_string_literal: true

require "leak_hunter/recorder/failure"
require "leak_hunter/recorder/snapshot"

module LeakHunter
  module Recorder
    # The snapshot that the operating system makes: a forked child writes the dump and this process goes on.
    class ForkedSnapshot < Snapshot
      WARNING = "taken in a forked child, where only one thread lives on: objects held by nothing but the stacks of " \
                "other threads have no root in this dump"

      # The longest message the child passes on: what a pipe takes without a reader, with room to spare.
      MAX_MESSAGE = 4096

      def take
        raise RecordingError, "this platform cannot fork; take the dump without fork: true" unless
          Process.respond_to?(:fork)

        parent = Process.pid
        begin
          @reader, @writer = IO.pipe(binmode: true)
          # An exception from another thread, a timeout's for one, waits until the child is known.
          Thread.handle_interrupt(Object => :never) { @child = Process.fork { write_and_exit } }
          @writer.close
        ensure
          # A fork hook that raises in the child must not send it back into the application.
          Process.exit!(1) unless Process.pid == parent
        end
      end

      def finish
        status = wait
        outcome = @reader.read_nonblock(2 * MAX_MESSAGE, exception: false)
        error, message = Marshal.load(outcome) if outcome.is_a?(String) # rubocop:disable Security/MarshalLoad
        raise RecordingError, "the child that took the dump ended before its time#{status}" unless error
        raise LeakHunter.const_get(error), message unless error == :none
      end

      def discard
        return unless @child

        Process.kill(:KILL, @child)
        Process.wait(@child)
      rescue Errno::ECHILD, Errno::ESRCH
        nil # reaped by another thread that waits for any child
      ensure
        [@reader, @writer].each { |pipe| pipe&.close }
      end

      private

      # The exit runs no handlers and flushes no buffers: those are the parent's.
      def write_and_exit
        @writer.write(Marshal.dump(write))
      ensure
        Process.exit!(0)
      end

      # @return [Array] the error's name and message, or :none
      def write
        snapshot = Snapshot.in_process.new(@io, @envelope, full: @full, names: @names)
        Failure.explain(File.dirname(@io.path), @io) do
          snapshot.take
          snapshot.finish
        end
        [:none]
      rescue Exception => e # rubocop:disable Lint/RescueException
        error = e.is_a?(LeakHunter::Error) ? e : RecordingError.new("#{e.message} (#{e.class})")
        [error.class.name.split("::").last, error.message.byteslice(0, MAX_MESSAGE)]
      end

      # @return [String, nil] how the child ended; nil when another thread, which waits for any child, was faster
      def wait
        _, status = Process.wait2(@child)
        @child = nil
        status.signaled? ? ": killed by SIG#{Signal.signame(status.termsig)}" : ": status #{status.exitstatus}"
      rescue Errno::ECHILD
        @child = nil
      end
    end
  end
end
