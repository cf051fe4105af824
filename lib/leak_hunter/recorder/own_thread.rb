# frozen_string_literal: true

require "leak_hunter/uninterrupted"

module LeakHunter
  module Recorder
    # Runs a block on a thread of its own, which nothing from outside ends half-way, while the calling thread waits.
    #
    # Signals always interrupt the main thread, whatever it has masked, so the main thread must not hold what has to be
    # given back: files, children, a switched-off garbage collector. And the stack of a new thread holds no addresses of
    # objects that are no longer used, which a conservative collector takes for references.
    #
    # When the waiting thread is interrupted or killed, so is the block: at its next {interruptible} step.
    #
    # A signal handler may fork while the thread waits. The child has no such thread, and gets a {ForkedError}.
    class OwnThread
      ANY_TIME = { Object => :immediate }.freeze
      # Seconds after which a child looks whether the thread is still there.
      PATIENCE = 1
      private_constant :ANY_TIME, :PATIENCE

      class << self
        # @yieldparam own [OwnThread]
        # @return what the block returns
        # @raise what the block raises
        def run(&) = new.run(&)

        # Steps of the block, long ones, after which everything can still be given back.
        def interruptible(&) = Thread.handle_interrupt(ANY_TIME, &)
      end

      private_class_method :new

      def initialize
        @lock = Mutex.new
        @changed = ConditionVariable.new
        @answers = Thread::Queue.new
      end

      def run
        thread = nil
        begin
          Thread.handle_interrupt(Uninterrupted::NEVER) { thread = start { yield self } }
          serve(thread)
        ensure
          Thread.handle_interrupt(Uninterrupted::NEVER) { finish(thread) } if thread
        end
        outcome
      end

      # Runs a block on the thread that waits. What the block raises is raised here.
      #
      # @return what the block returns
      def in_caller(&errand)
        tell { @errand = errand }
        value, error = OwnThread.interruptible { @answers.pop }
        raise error if error

        value
      end

      private

      def start(&)
        Thread.start { work(&) }
      rescue ThreadError => e
        raise RecordingError, "no thread can be started: #{e.message}"
      end

      # The thread inherits the mask of interrupts, and keeps it.
      def work
        @result = yield
        @finished = true
      rescue Exception => e # rubocop:disable Lint/RescueException
        @error = e
      ensure
        tell { @ended = true }
      end

      def serve(thread)
        while (errand = next_errand(thread))
          Thread.handle_interrupt(Uninterrupted::NEVER) { @answers << answer(errand) }
        end
      end

      def tell
        @lock.synchronize do
          yield
          @changed.signal
        end
      end

      # @return [Proc, nil] nil when the thread has ended
      def next_errand(thread)
        @lock.synchronize do
          @changed.wait(@lock, PATIENCE) until @errand || @ended || !thread.alive?
          errand = @errand
          @errand = nil
          errand
        end
      end

      def answer(errand)
        [errand.call, nil]
      rescue Exception => e # rubocop:disable Lint/RescueException
        [nil, e]
      end

      def finish(thread)
        thread.kill unless @ended
        thread.join
      end

      def outcome
        return @result if @finished
        raise ForkedError unless @ended

        error = @error || RecordingError.new("the thread that did the work was killed")
        error.set_backtrace([*error.backtrace, *caller(2)])
        raise error
      end
    end
  end
end
