# frozen_string_literal: true

require "leak_hunter/web/problem"

module LeakHunter
  class Web
    # One at a time in a process, and nobody waits. A lock that another thread of the parent held is free in a forked
    # child.
    class Turn
      def initialize(error, message)
        @error = error
        @message = message
        @mutex = Mutex.new
      end

      # @raise [Problem] while somebody else's turn lasts
      def take
        raise Problem.new(409, @error, @message, { "retry-after" => "5" }) unless @mutex.try_lock

        begin
          yield
        ensure
          @mutex.unlock
        end
      end

      def taken? = @mutex.locked?

      DUMP = new("DumpInProgress", "this process is taking a dump")
      # A diff reads gigabytes on most of the cores.
      DIFF = new("DiffInProgress", "this process is comparing dumps for somebody else")
    end
  end
end
