# frozen_string_literal: true

# How long a diff of three dumps of about 2 GB takes to let go after Timeout and Thread#raise, at random moments:
#
#   rake bench:stop                    # RUNS=40 SIZE=2000
#
# Printed is the time from the moment of the interrupt to the exception, and to the end of the last thread that read.

require "leak_hunter"
require "timeout"
require_relative "dumps"

RUNS = Integer(ENV.fetch("RUNS", "40"))
DUMPS = Dumps.of(Integer(ENV.fetch("SIZE", "2000")))

def clock = Process.clock_gettime(Process::CLOCK_MONOTONIC)

# LeakHunter's own; Ruby keeps those of its threads for a while.
def native_threads
  Dir.glob("/proc/self/task/*/comm").count { |path| File.read(path).start_with?("leak_hunter") }
rescue Errno::ENOENT, Errno::ESRCH
  retry
end

# @return [Array<Float>] milliseconds until it was raised, and until the threads were gone
def stop_after(seconds)
  start = clock
  begin
    Timeout.timeout(seconds) { LeakHunter.diff(*DUMPS, threads: 2) }
    return
  rescue Timeout::Error
    raised = clock
  end
  sleep 0.001 while native_threads.positive? && clock - raised < 10
  [raised, clock].map { |time| (time - start - seconds) * 1000 }
end

stop_after(0.01)
times = Array.new(RUNS) { |run| stop_after(0.01 + (run * 0.015)) }.compact
raised, gone = times.transpose.map(&:sort)
puts "#{times.size} diffs stopped; milliseconds after the interrupt"
puts
puts "| | median | worst |"
puts "|---|---|---|"
puts format("| exception raised | %<median>.1f | %<worst>.1f |", median: raised[raised.size / 2], worst: raised.last)
puts format("| last thread gone | %<median>.1f | %<worst>.1f |", median: gone[gone.size / 2], worst: gone.last)
