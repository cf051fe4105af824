# frozen_string_literal: true

module Shop
  # One thing that was done, by whom and when.
  class AuditEvent
    attr_reader :number, :action, :subject, :customer, :at, :duration

    def initialize(number:, action:, subject:, customer:, at:, duration:)
      @number = number
      @action = action
      @subject = subject
      @customer = customer
      @at = at
      @duration = duration
    end
  end

  # Remembers what was done. This is the leak: whoever wrote it meant to save the events and empty the list, some day.
  class AuditTrail
    EVENTS = [] # rubocop:disable Style/MutableConstant
    LOCK = Mutex.new

    class << self
      def record(action, subject, customer:, duration:)
        LOCK.synchronize do
          EVENTS << AuditEvent.new(number: EVENTS.size, action:, subject:, customer:, duration:, at: Time.now.to_i)
        end
      end

      # What LeakHunter should find: `count` events in all, made in the line above.
      def planted
        { class: AuditEvent.name, file: __FILE__, line: method(:record).source_location.last + 2, count: EVENTS.size }
      end
    end
  end
end
