# frozen_string_literal: true

# Leaks of several kinds, a cache that is full, and a warm-up; four dumps of it in a folder:
#
#   ruby -Ilib rakelib/support/sample_leaks.rb FOLDER

require "leak_hunter"

# An application that leaks.
module Shop
  Event = Struct.new(:name, :data)

  AUDIT = [] # rubocop:disable Style/MutableConstant
  RECENT = {} # rubocop:disable Style/MutableConstant

  # Prices by customer, a list for each.
  module Prices
    @by_customer = Hash.new { |all, customer| all[customer] = [] }

    def self.note(customer) = @by_customer[customer] << Object.new
  end

  # Tells everybody of orders.
  module Bus
    @subscribers = []

    def self.subscribe(env) = @subscribers << -> { env }
  end

  @pages = {}

  def self.order(number)
    AUDIT << Event.new("order #{number}", "x" * 100)
    Bus.subscribe({ "rack.input" => "v" * 300, "number" => number })
    Prices.note("customer #{number % 5}")
    RECENT[number] = "order #{number}"
    RECENT.shift if RECENT.size > 100
    @pages["page #{number}"] = "<html>#{number}" if number.between?(300, 450)
    Thread.current["request #{number}"] = [number.to_s] if (number % 10).zero?
  end
end

folder = ARGV.fetch(0)
number = 0
4.times do |index|
  LeakHunter.dump!(File.join(folder, "#{index + 1}.json"))
  300.times { Shop.order(number += 1) }
end
