# frozen_string_literal: true

# How long the process stands still while its heap is walked, against what ObjectSpace.dump_all takes for the same heap:
#
#   rake bench:live_heap                    # OBJECTS=1500000 RUNS=5
#
# Every object is traced, so both tell allocation sites. The two take turns, and the medians are compared. Beside them,
# how long a mark stops it: for its walk, and for the collections that it needs.

require "objspace"
require "leak_hunter"
require_relative "heap"

OBJECTS = Integer(ENV.fetch("OBJECTS", "1500000"))
RUNS = Integer(ENV.fetch("RUNS", "5"))

def clock = Process.clock_gettime(Process::CLOCK_MONOTONIC)

def seconds
  start = clock
  yield
  clock - start
end

def median(list) = list.sort[list.size / 2]

def dump
  text = nil
  time = seconds { text = ObjectSpace.dump_all(output: :string) }
  @bytes = text.bytesize
  text.clear # or the next dump holds it
  time
end

def walk
  heap = nil
  total = seconds { heap = LeakHunter::Heap.live(gc: false, names: false) }
  @sites = heap.sites?
  @objects = heap.size
  @edges = heap.native.edges
  [heap.pause, total]
end

# @return [Array<Float>] of each step
def mark
  mark = nil
  total = seconds { mark = LeakHunter.mark }
  [mark.pause, mark.collecting, total]
end

LeakHunter.trace!
KEPT = SyntheticHeap.grow(OBJECTS)
3.times { GC.start }
LeakHunter::Heap.live(gc: false, names: false) # loads what is needed
GC.start

dumps = []
pauses = []
totals = []
marks = []
RUNS.times do
  GC.start
  dumps << dump
  GC.start
  pause, total = walk
  pauses << pause
  totals << total
  GC.start
  marks << mark
end

puts format("Ruby %<ruby>s, %<objects>.2f million objects, %<edges>.1f million references, sites: %<sites>s",
            ruby: RUBY_VERSION, objects: @objects / 1e6, edges: @edges / 1e6, sites: @sites)
puts
puts "| | seconds (median of #{RUNS}) | best | dump_all / it |"
puts "|---|---|---|---|"
[["dump_all(output: :string), #{@bytes / 1_000_000} MB", dumps], ["pause of Heap.live", pauses],
 ["Heap.live in all, tables built", totals],
 *["pause of mark", "its collections", "mark in all, added up"].zip(marks.transpose)].each do |name, times|
  puts format("| %<name>s | %<median>.3f | %<best>.3f | %<ratio>.1f |",
              name:, median: median(times), best: times.min, ratio: median(dumps) / median(times))
end
