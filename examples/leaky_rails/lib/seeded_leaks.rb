# frozen_string_literal: true

# The three leaks. Whoever wrote them meant well.
module SeededLeaks
  # Somebody was here.
  class Visit
    def initialize(path)
      @path = path
    end
  end

  Query = Struct.new(:name, :sql, :milliseconds)

  # A constant: the visits were to be saved, and the list to be emptied, some day.
  AUDIT_TRAIL = [] # rubocop:disable Style/MutableConstant

  # In their place, for a news site that does not leak.
  module Mended
    def audit(_path) = nil
    def tell_of_edits(_params) = nil
  end

  class << self
    def audit(path) = AUDIT_TRAIL << Visit.new(path.dup)

    # A closure: the subscriber stays when its request is over, and with it the parameters that its block sees.
    def tell_of_edits(params)
      ActiveSupport::Notifications.subscribe("edited.article") do |*, payload|
        Rails.logger.info("article #{payload[:id]} was edited") if payload[:id] == params[:id]
      end
    end

    # A thread-local: the latest queries are kept for error reports, which nobody sends. Puma's threads live long.
    def remember_queries
      ActiveSupport::Notifications.subscribe("sql.active_record") do |event|
        query = Query.new(event.payload[:name], event.payload[:sql].dup, event.duration)
        (Thread.current[:recent_queries] ||= []) << query
      end
    end

    # Nothing leaks from now on: what is asked of it is not done.
    def mend = singleton_class.prepend(Mended)

    # How much of it there is, for those who check whether it is found. Of the thread that serves the request.
    def planted = { visits: AUDIT_TRAIL.size, queries: Thread.current[:recent_queries].to_a.size }
  end
end
