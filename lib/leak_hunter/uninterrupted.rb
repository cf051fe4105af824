# frozen_string_literal: true

module LeakHunter
  # Runs a few steps that belong together, such as opening a file and remembering it, so that no exception from outside
  # ends them half-way: neither `Timeout`, `Thread#raise` and `Thread#kill` nor a signal.
  #
  # The steps must be short, and must not wait for anybody. The caller's own mask of interrupts stays as it is.
  module Uninterrupted
    # For Thread.handle_interrupt. Made once: a dump would have one that is made for each call.
    NEVER = { Object => :never }.freeze

    # @return what the block returns
    # @raise [ForkedError] in a child that a signal handler forked meanwhile
    def self.run(&)
      # Signal handlers run in the main thread whatever it has masked, and may raise there.
      return masked(&) unless Thread.current == Thread.main

      in_a_thread(&)
    end

    class << self
      private

      def masked(&) = Thread.handle_interrupt(NEVER, &)

      def in_a_thread
        result = nil
        ended = false
        # A thread inherits the mask, so nothing can end this one before it begins.
        thread = masked do
          Thread.new do
            Thread.current.report_on_exception = false
            result = yield
            ended = true
          end
        end
        thread.join # not `value`: in a child that a signal handler forks meanwhile, that crashes Ruby 3.1
        raise ForkedError unless ended

        result
      end
    end
  end
end
