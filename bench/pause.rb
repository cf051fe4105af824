# frozen_string_literal: true

# For how long a process stands still for a moment, in each of the ways to take one, and how long requests take that
# come meanwhile:
#
#   rake bench:pause                   # ROUNDS=7 REQUESTS=200 OBJECTS=450000
#
# A Puma with four threads, once with a made-up heap and once with Rails and libraries; every object is traced from the
# start. In each round each way has its turn: it is taken again and again while one client sends requests. Of each way
# the median of its pauses, and percentiles of all requests that were sent meanwhile.

require "net/http"
require_relative "../examples/leaky_app/server"

ROUNDS = Integer(ENV.fetch("ROUNDS", "7"))
REQUESTS = Integer(ENV.fetch("REQUESTS", "200"))
OBJECTS = ENV.fetch("OBJECTS", "450000")
WAYS = {
  "nothing" => "no moment", "dump_all" => "ObjectSpace.dump_all", "dump" => "dump!", "fork" => "dump!(fork: true)",
  "snapshot" => "snapshot!", "live" => "Heap.live", "mark" => "mark"
}.freeze

def clock = Process.clock_gettime(Process::CLOCK_MONOTONIC)

def percentile(values, share) = values.sort[((values.size - 1) * share).round]

# What one way has cost.
Cost = Struct.new(:pauses, :requests) do
  def self.none = new([], [])
end

def ask(http, way)
  response = http.post("/#{way}", "")
  raise "#{way}: #{response.code} #{response.body}" unless response.is_a?(Net::HTTPSuccess)

  Float(response.body)
end

# Takes moments on a connection of their own, until enough requests were sent on the other.
def round(server, http, way, cost)
  enough = false
  taker = Thread.new do
    Thread.current.report_on_exception = false
    server.connect do |other|
      until enough
        cost.pauses << ask(other, way)
        sleep 0.01
      end
    end
  end
  while taker.alive? && (cost.pauses.empty? || !enough)
    start = clock
    http.get("/")
    cost.requests << (clock - start)
    enough = (cost.requests.size % REQUESTS).zero?
  end
  taker.join
end

def measure(server)
  costs = WAYS.transform_values { Cost.none }
  server.connect do |http|
    costs.each_key { |way| ask(http, way) } # loads what is needed
    ROUNDS.times { costs.each { |way, cost| round(server, http, way, cost) } }
    [ask(http, "objects"), costs]
  end
end

%w[synthetic rails].each do |heap|
  env = { "LEAK_HUNTER_BENCH_HEAP" => heap, "LEAK_HUNTER_BENCH_OBJECTS" => OBJECTS }
  LeakyApp::Server.run(File.join(__dir__, "pause.ru"), dir: Dir.pwd, env:) do |server|
    objects, costs = measure(server)
    base = percentile(costs["dump_all"].pauses, 0.5)
    puts format("%<heap>s, Ruby %<ruby>s, %<objects>d objects; %<rounds>d rounds of %<requests>d requests",
                heap: heap.capitalize, ruby: RUBY_VERSION, objects:, rounds: ROUNDS, requests: REQUESTS)
    puts
    puts "| | pause | dump_all / it | requests: p50 | p99 | longest |"
    puts "|---|---|---|---|---|---|"
    WAYS.each do |way, name|
      cost = costs.fetch(way)
      pause = percentile(cost.pauses, 0.5)
      puts format("| %<name>s | %<pause>.1f ms | %<ratio>s | %<p50>.1f ms | %<p99>.1f ms | %<longest>.1f ms |",
                  name:, pause: pause * 1000, ratio: pause.zero? ? "" : format("%.1f", base / pause),
                  p50: percentile(cost.requests, 0.5) * 1000, p99: percentile(cost.requests, 0.99) * 1000,
                  longest: cost.requests.max * 1000)
    end
    puts
  end
end
