# frozen_string_literal: true

require "leak_hunter/web/problem"

module LeakHunter
  class Web
    # Work that one request at a time may do in a process. The others do not wait, they are refused. A forked child
    # starts free, whatever the threads of its parent were doing.
    class SingleFlight
      def initialize(error, message)
        @error = error
        @message = message
        @mutex = Mutex.new
      end

      # @raise [Problem] while it is running
      def run
        # no exception from another thread may arrive between taking the lock and the `ensure`
        Thread.handle_interrupt(Exception => :never) do
          raise Problem.new(409, @error, @message, { "retry-after" => "5" }) unless @mutex.try_lock

          begin
            Thread.handle_interrupt(Exception => :immediate) { yield } # rubocop:disable Style/ExplicitBlockArgument
          ensure
            @mutex.unlock
          end
        end
      end

      def running? = @mutex.locked?

      DUMP = new("DumpInProgress", "this process is taking a dump")
      # A diff reads gigabytes on most of the cores.
      DIFF = new("DiffInProgress", "this process is running another diff")
    end
  end
end
