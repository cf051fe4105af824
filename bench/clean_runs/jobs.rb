# frozen_string_literal: true

# A worker: jobs as JSON through a queue to two threads, a log of each job, a cache with a bound, failures and retries.

require_relative "program"
require "json"
require "logger"
require "stringio"

# Performs jobs.
class Worker
  Failure = Class.new(StandardError)

  CACHED = 200
  ATTEMPTS = 3

  def initialize(queue)
    @queue = queue
    @done = Queue.new
    @cache = {}
    @lock = Mutex.new
    @random = Random.new(2)
    @threads = Array.new(2) { Thread.new { run } }
  end

  # @return [Array<Hash>] results of so many jobs
  def results(count) = Array.new(count) { JSON.parse(@done.pop) }

  private

  def run
    while (text = @queue.pop)
      job = JSON.parse(text, symbolize_names: true)
      begin
        @done << perform(job)
      rescue Failure => e
        again(job, e)
      end
    end
  end

  def perform(job)
    log = StringIO.new
    Logger.new(log).info("job #{job[:id]} of #{job[:customer]}")
    raise Failure, "job #{job[:id]}" if fails?(job)

    lines = job[:items].map { |item| "#{item},#{rate(item)}" }
    JSON.generate(id: job[:id], csv: lines.join("\n"), log: log.string, attempts: job[:attempts])
  end

  def fails?(job) = job[:attempts] < ATTEMPTS && @lock.synchronize { @random.rand(10).zero? }

  def again(job, error)
    @queue << JSON.generate(job.merge(attempts: job[:attempts] + 1, error: error.full_message(highlight: false)))
  end

  # What was used last is kept.
  def rate(item)
    @lock.synchronize do
      rate = @cache.delete(item) || "rate #{item.hash % 1_000}"
      @cache[item] = rate
      @cache.shift if @cache.size > CACHED
      rate
    end
  end
end

queue = Queue.new
worker = Worker.new(queue)
random = Random.new(1)
number = 0

Program.live do
  1_000.times do
    items = Array.new(5) { "item #{random.rand(2_000)}" }
    queue << JSON.generate(id: number += 1, customer: "customer #{number % 37}", items:, attempts: 1)
  end
  results = worker.results(1_000)
  raise "#{results.size} results" unless results.all? { |result| result["csv"].lines.size == 5 }
end
