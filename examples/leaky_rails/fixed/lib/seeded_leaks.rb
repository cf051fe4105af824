# frozen_string_literal: true

# The three leaks, mended as a checkup advises: two have a limit now, and the subscriber is not made any more.
module SeededLeaks
  # Somebody was here.
  class Visit
    def initialize(path)
      @path = path
    end
  end

  Query = Struct.new(:name, :sql, :milliseconds)

  # The latest visits.
  AUDIT_TRAIL = [] # rubocop:disable Style/MutableConstant
  LIMIT = 50

  class << self
    def audit(path)
      AUDIT_TRAIL << Visit.new(path.dup)
      AUDIT_TRAIL.shift if AUDIT_TRAIL.size > LIMIT
    end

    def tell_of_edits(params) = Rails.logger.info("article #{params[:id]} is watched")

    # The latest queries of this thread.
    def remember_queries
      ActiveSupport::Notifications.subscribe("sql.active_record") do |event|
        queries = (Thread.current[:recent_queries] ||= [])
        queries << Query.new(event.payload[:name], event.payload[:sql].dup, event.duration)
        queries.shift if queries.size > LIMIT
      end
    end

    # There is nothing to mend.
    def mend = nil

    def planted = { visits: AUDIT_TRAIL.size, queries: Thread.current[:recent_queries].to_a.size }
  end
end
