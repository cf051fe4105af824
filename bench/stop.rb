# frozen_string_literal: true

# How long a diff of three dumps of about 2 GB, with holders and without, takes to let go after Timeout and
# Thread#raise, at moments all along it:
#
#   rake bench:stop                    # RUNS=40 SIZE=2000
#
# Printed is the time from the moment of the interrupt to the exception, and to the end of the last thread that read;
# and the longest time around the interrupt that another Ruby thread, which sleeps a millisecond at a time, waited for
# its turn.

require "leak_hunter"
require "timeout"
require_relative "dumps"

RUNS = Integer(ENV.fetch("RUNS", "40"))
DUMPS = Dumps.synthetic(Integer(ENV.fetch("SIZE", "2000")))

def clock = Process.clock_gettime(Process::CLOCK_MONOTONIC)

# LeakHunter's own; Ruby keeps those of its threads for a while.
def native_threads
  Dir.glob("/proc/self/task/*/comm").count { |path| File.read(path).start_with?("leak_hunter") }
rescue Errno::ENOENT, Errno::ESRCH
  retry
end

# The longest turn of the other thread since it was last asked.
TURNS = Queue.new
Thread.new do
  last = clock
  loop do
    sleep 0.001
    now = clock
    TURNS << [now, now - last]
    last = now
  end
end

# @return [Float] the longest turn that ended between two moments
def longest_turn(from, to)
  sleep 0.005
  turns = Array.new(TURNS.size) { TURNS.pop }
  turns.filter_map { |ended, length| length if ended.between?(from, to + 0.005) }.max || 0.0
end

# @return [Array<Float>] milliseconds until it was raised, until the threads were gone, and of the longest turn
def stop_after(seconds, holders: false)
  TURNS.clear
  start = clock
  begin
    Timeout.timeout(seconds) { LeakHunter.diff(*DUMPS, threads: 2, holders:) }
    return
  rescue Timeout::Error
    raised = clock
  end
  sleep 0.001 while native_threads.positive? && clock - raised < 10
  gone = clock
  turn = longest_turn(start + seconds, raised)
  [raised - start - seconds, gone - start - seconds, turn].map { |time| time * 1000 }
end

# @return [Array<Array<Float>>] of diffs stopped at RUNS moments, evenly spread
def stop_all_along(holders)
  start = clock
  LeakHunter.diff(*DUMPS, threads: 2, holders:)
  whole = clock - start
  Array.new(RUNS) { |run| stop_after(0.01 + (whole * run / RUNS), holders:) }.compact
end

MOMENTS = ["exception raised", "last thread gone", "longest turn of another thread"].freeze

puts "milliseconds after the interrupt"
puts
puts "| diffs stopped | until | median | worst |"
puts "|---|---|---|---|"
{ "plain" => false, "with holders" => true }.each do |name, holders|
  times = stop_all_along(holders)
  next if times.empty?

  MOMENTS.zip(times.transpose.map(&:sort)) do |moment, sorted|
    puts format("| %<count>d %<name>s | %<moment>s | %<median>.1f | %<worst>.1f |",
                count: times.size, name:, moment:, median: sorted[sorted.size / 2], worst: sorted.last)
  end
end
