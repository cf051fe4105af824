# frozen_string_literal: true

# How long each first step takes beside threads that never wait. Each time LeakHunter gives up the GVL, all of them have
# their turn, of 100 ms each: what counts is how often that happens. THREADS=50 rake bench:busy

require "json" # as a web application has it
require "leak_hunter"
require "tmpdir"

THREADS = Integer(ENV.fetch("THREADS", "50"))
OBJECTS = Integer(ENV.fetch("OBJECTS", "100000"))

last = nil
@turns = 0
THREADS.times do |number|
  Thread.new do
    loop do
      next if last == number

      last = number
      @turns += 1
    end
  end
end

def step(name)
  before = @turns
  start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  result = yield
  seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
  turns = (@turns - before).fdiv(THREADS)
  puts format("%<name>-24s %<turns>6.1f turns %<seconds>7.1f s", name:, turns:, seconds:)
  $stdout.flush
  result
end

Dir.mktmpdir do |dir|
  heap = Array.new(OBJECTS) { |number| "text #{number}" }
  if ENV["TRACE"] == "no"
    step("dump! (nothing loaded)") { LeakHunter.dump!(dir:) }
  else
    step("trace! (first)") { LeakHunter.trace! }
  end
  marks = Array.new(2) { step("mark") { LeakHunter.mark } }
  dumps = Array.new(3) { step("dump!") { LeakHunter.dump!(dir:) } }
  live = step("Heap.live") { LeakHunter::Heap.live }
  step("diff, marks and heap") { LeakHunter.diff(*marks, live, holders: true) }
  result = step("diff, dumps, holders") { LeakHunter.diff(*dumps, holders: true) }
  step("report") { LeakHunter::Report.new(result).to_s }
  heap.clear
end
Process.exit!(0) # waits for none of them
