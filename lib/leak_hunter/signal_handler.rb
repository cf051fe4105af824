# frozen_string_literal: true

module LeakHunter
  # Ruby runs signal handlers between any two steps of the main thread, so it locks no Mutex and loads no file there.
  # Nothing in LeakHunter works without both.
  module SignalHandler
    # @param method [String] what was called, as users write it
    # @raise [UsageError] inside a signal handler (`trap`)
    def self.refuse(method, error = UsageError)
      Mutex.new.lock # which raises there and nowhere else
    rescue ThreadError => e
      raise error, "#{method} does not work in a signal handler (#{e.message}); " \
                   "start a thread there: Thread.new { #{method} }"
    end
  end
end
