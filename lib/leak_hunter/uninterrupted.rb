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
    def self.run(&)
      # Signal handlers run in the main thread whatever it has masked, and may raise there.
      return masked(&) unless Thread.current == Thread.main

      # A thread inherits the mask, so nothing can end this one before it begins.
      masked { in_a_thread(&) }.value
    end

    class << self
      private

      def masked(&) = Thread.handle_interrupt(NEVER, &)

      def in_a_thread
        Thread.new do
          Thread.current.report_on_exception = false
          yield
        end
      end
    end
  end
end
