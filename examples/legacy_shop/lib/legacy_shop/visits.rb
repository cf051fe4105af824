# frozen_string_literal: true

module LegacyShop
  # Who has been here.
  class Visits
    Visitor = Struct.new(:number, :first_page)

    @@count = 0

    def initialize
      @visitors = {}
    end

    # Every fifth visit is somebody new.
    def note(page)
      @@count += 1
      return unless (@@count % 5).zero?

      $last_visitor = Visitor.new(@@count, page)
      @visitors.store(@@count, $last_visitor) unless %w[/robots.txt /favicon.ico].include?(page)
    end
  end
end
