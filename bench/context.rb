# frozen_string_literal: true

# What a block of LeakHunter.context costs, against a block that does nothing, and what each switch of fibers costs
# before and after the first one:
#
#   rake bench:context                 # ROUNDS=15 CALLS=200000
#
# The two take turns, and the lower quartiles are compared.

require "leak_hunter"

ROUNDS = Integer(ENV.fetch("ROUNDS", "15"))
CALLS = Integer(ENV.fetch("CALLS", "200000"))

# The contender.
module Nothing
  def self.context(_name) = yield
end

def lower_quartile(values) = values.sort[values.size / 4]

# @return [Float] microseconds for each call
def cost
  start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  yield
  (Process.clock_gettime(Process::CLOCK_MONOTONIC) - start) / CALLS * 1e6
end

def blocks(of)
  cost do
    calls = 0
    of.context("POST /orders") {} while (calls += 1) <= CALLS # rubocop:disable Lint/EmptyBlock
  end
end

def switches
  fiber = Fiber.new { loop { Fiber.yield } }
  # to the fiber and back
  cost { (CALLS / 2).times { fiber.resume } }
end

before = Array.new(ROUNDS) { switches }
ways = { "a block that does nothing" => Nothing, "LeakHunter.context" => LeakHunter }
ways.each_value { |way| blocks(way) }
times = ways.transform_values { [] }
ROUNDS.times { ways.each { |name, way| times[name] << blocks(way) } }
times["a switch of fibers, before the first block"] = before
times["a switch of fibers, after it"] = Array.new(ROUNDS) { switches }

puts "Ruby #{RUBY_VERSION}, lower quartiles of #{ROUNDS} rounds of #{CALLS} calls", ""
puts "| | microseconds |", "|---|---|"
times.each { |name, list| puts format("| %<name>s | %<time>.3f |", name:, time: lower_quartile(list)) }
plain, ours = times.values_at(*ways.keys).map { |list| lower_quartile(list) }
puts "", format("LeakHunter.context / nothing: %.1f", ours / plain)
