# frozen_string_literal: true

module LegacyShop
  # Who has been here lately.
  class Visits
    Visitor = Struct.new(:number, :first_page)

    ROBOTS = %w[/robots.txt /favicon.ico].freeze
    # Visitors that are remembered.
    SIZE = 20

    def initialize
      @count = 0
      @visitors = {}
    end

    # Every fifth visit is somebody new.
    def note(page)
      @count += 1
      return if (@count % 5).positive? || ROBOTS.include?(page)

      @visitors.store(@count, Visitor.new(@count, page))
      @visitors.shift if @visitors.size > SIZE
    end
  end
end
