# frozen_string_literal: true

# Latency of a Puma worker's requests, alone and while the same process compares three dumps of about 200 MB:
#
#   rake bench:live                    # ROUNDS=7 REQUESTS=400 SIZE=200
#
# Rounds with and without a diff take turns, so that a busy moment of the machine meets both. Requests come one after
# the other from one client, and each is a new sample; in a round with a diff, only those that were sent while one ran
# count.

require "net/http"
require_relative "dumps"
require_relative "../examples/leaky_app/server"

ROUNDS = Integer(ENV.fetch("ROUNDS", "7"))
REQUESTS = Integer(ENV.fetch("REQUESTS", "400"))
SIZE = Integer(ENV.fetch("SIZE", "200"))

def clock = Process.clock_gettime(Process::CLOCK_MONOTONIC)

def median(values) = values.sort[values.size / 2]

def percentile(values, share) = values.sort[((values.size - 1) * share).round]

# @return [Array<Float>] milliseconds, at most `count`, as long as the block is true
def sample(http, count)
  times = []
  while times.size < count && yield
    start = clock
    http.get("/")
    times << ((clock - start) * 1000)
  end
  times
end

# Diffs in a row on a connection of their own, until enough requests were sampled.
def sample_beside_diff(server, http)
  diffs = 0
  enough = false
  differ = Thread.new do
    server.connect do |other|
      until enough
        other.post("/diff", "", "content-type" => "text/plain")
        diffs += 1
      end
    end
  end
  times = sample(http, REQUESTS) { differ.alive? }
  enough = true
  differ.join
  [times, diffs]
end

dumps = Dumps.synthetic(SIZE)
env = { "LEAK_HUNTER_BENCH" => dumps.join(":") }
LeakyApp::Server.run(File.join(__dir__, "live.ru"), dir: Dir.pwd, env:) do |server|
  server.connect do |http|
    sample(http, REQUESTS) { true }
    rounds = Array.new(ROUNDS) do
      alone = sample(http, REQUESTS) { true }
      beside, diffs = sample_beside_diff(server, http)
      { alone:, beside:, diffs: }
    end
    puts "Puma, 4 threads; #{ROUNDS} rounds of #{REQUESTS} requests; three dumps of about #{SIZE} MB; " \
         "#{rounds.sum { |round| round[:diffs] }} diffs"
    puts
    puts "| | alone | during diffs | ratio |"
    puts "|---|---|---|---|"
    [0.5, 0.99].each do |share|
      alone, beside = %i[alone beside].map { |kind| median(rounds.map { |round| percentile(round[kind], share) }) }
      puts format("| p%<percent>d | %<alone>.2f ms | %<beside>.2f ms | %<ratio>.2f |",
                  percent: share * 100, alone:, beside:, ratio: beside / alone)
    end
  end
end
