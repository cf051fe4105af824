# frozen_string_literal: true

require "leak_hunter/core_methods"
require "leak_hunter/recorder/failure"
require "leak_hunter/recorder/own_thread"
require "leak_hunter/recorder/snapshot"
require "leak_hunter/without_gc"

module LeakHunter
  module Recorder
    # The snapshot that the operating system makes: a forked child writes the dump while this process keeps running.
    #
    # {#take} runs in the thread that asked for the dump, whose stack the child keeps. There a signal handler, or a fork
    # hook, may raise when the child has been made and nobody knows it yet. So the child sends its pid first.
    class ForkedSnapshot < Snapshot
      WARNING = "taken in a forked child, where only one thread lives on: objects held by nothing but the stacks of " \
                "other threads have no root in this dump"

      # The longest message the child passes on: what a pipe takes without a reader, with room to spare.
      MAX_MESSAGE = 4096
      # Of the child's pid, in decimal.
      PID_BYTES = 20
      # Seconds between two looks at the child, and for which one that nobody knows may take to send its pid.
      INTERVAL = 0.2
      PATIENCE = 2
      FLUSH = IO.instance_method(:flush)
      # The application's handlers may tell the parent to shut down, by a pipe that both have.
      SIGNALS = %w[HUP INT QUIT TERM USR1 USR2].freeze

      private_constant :MAX_MESSAGE, :PID_BYTES, :INTERVAL, :PATIENCE, :FLUSH, :SIGNALS

      def take
        raise RecordingError, "this platform cannot fork; take the dump without fork: true" unless
          Process.respond_to?(:fork)

        parent = Process.pid
        begin
          @reader, @writer = IO.pipe(binmode: true)
          keep_interrupts
          @unknown = true
          @child = WithoutGC.in_own_child { Process.fork { write_and_exit } }
          @unknown = false
          @writer.close
        ensure
          # A fork hook that raises in the child must not send it back into the application.
          Process.exit!(1) unless Process.pid == parent
        end
      end

      def finish
        status = wait
        receive
        error, message = Marshal.load(@received.byteslice(PID_BYTES..)) if @received.bytesize > PID_BYTES # rubocop:disable Security/MarshalLoad
        raise RecordingError, "the child that took the dump ended before its time#{status}" unless error
        raise LeakHunter.const_get(error), message unless error == :none
      end

      def discard
        @writer&.close
        @child = sent_pid if @unknown
        return unless @child

        Process.kill(:KILL, @child)
        Process.wait(@child)
      rescue Errno::ECHILD, Errno::ESRCH
        nil # reaped by another thread that waits for any child
      ensure
        @child = nil
        [@reader, @writer].each { |pipe| pipe&.close }
        super
      end

      private

      # A fork forgets, in the parent, what is to be raised in the forking thread, Thread#kill included (Ruby <= 3.2).
      # Nothing is added to that from here on: only a flush would let other threads run.
      def keep_interrupts
        flush
        raise RecordingError, "an exception is about to be raised in this thread" if Thread.pending_interrupt?
      end

      def flush
        [$stdout, $stderr].each { |io| FLUSH.bind_call(io) if CoreMethods.a?(io, IO) }
      rescue SystemCallError, IOError
        nil
      end

      # The exit runs no handlers and flushes no buffers: those are the parent's.
      def write_and_exit
        SIGNALS.each { |signal| trap(signal, "SYSTEM_DEFAULT") }
        @writer.syswrite(Process.pid.to_s.ljust(PID_BYTES))
        @writer.syswrite(Marshal.dump(write))
      ensure
        Process.exit!(0)
      end

      # @return [Array] the error's name and message, or :none
      def write
        snapshot = Snapshot.new(@io, @envelope, format: @format, full: @full, names: @names)
        Failure.explain(File.dirname(@io.path)) do
          snapshot.take
          snapshot.finish
        end
        [:none]
      rescue Exception => e # rubocop:disable Lint/RescueException
        error = e.is_a?(LeakHunter::Error) ? e : RecordingError.new("#{e.message} (#{e.class})")
        [error.class.name.split("::").last, error.message.byteslice(0, MAX_MESSAGE)]
      end

      # Only a look that nothing interrupts reaps the child: from then on its pid may be another process's.
      #
      # @return [String, nil] how the child ended; nil when another thread, which waits for any child, was faster
      def wait
        @received = "".b
        until (status = Process.wait2(@child, Process::WNOHANG)&.last)
          OwnThread.interruptible { @ended ? sleep(0.002) : readable?(INTERVAL) }
          receive
        end
        @child = nil
        status.signaled? ? ": killed by SIG#{Signal.signame(status.termsig)}" : ": status #{status.exitstatus}"
      rescue Errno::ECHILD
        @child = nil
      end

      def receive
        piece = @reader.read_nonblock(2 * MAX_MESSAGE, exception: false)
        @received << piece if piece.is_a?(String)
        @ended = piece.nil?
      end

      # @return [Integer, nil] of the child; nil when there is none
      def sent_pid = readable?(PATIENCE) && @reader.read(PID_BYTES)&.to_i

      # IO#wait_readable would have to be loaded on Ruby 3.1.
      def readable?(seconds) = IO.select([@reader], nil, nil, seconds) # rubocop:disable Lint/IncompatibleIoSelectWithFiberScheduler
    end
  end
end
