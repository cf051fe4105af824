# frozen_string_literal: true

require "leak_hunter"
require "objspace"
require "tmpdir"

# An application with a heap of its own: that of bench/heap.rb, or Rails and libraries. GET / is a request with about a
# millisecond of work. POST /name takes a moment in one of the ways below, and answers with the seconds for which the
# process stood still.
if ENV["LEAK_HUNTER_BENCH_HEAP"] == "rails"
  LeakHunter.trace!
  require_relative "rails/libraries"
  require "rails/all"
  Libraries.load
else
  require_relative "heap"
  LeakHunter.trace!
  KEPT = SyntheticHeap.grow(Integer(ENV.fetch("LEAK_HUNTER_BENCH_OBJECTS")))
end

FOLDER = Dir.mktmpdir("leak_hunter-bench")
at_exit { FileUtils.rm_rf(FOLDER) }

def clock = Process.clock_gettime(Process::CLOCK_MONOTONIC)

def dump_all
  start = clock
  text = ObjectSpace.dump_all(output: :string)
  (clock - start).tap { text.clear }
end

def file(moment)
  File.delete(moment.path)
  moment.seconds
end

WAYS = {
  "nothing" => -> { 0.0 },
  "dump_all" => -> { dump_all },
  "dump" => -> { file(LeakHunter.dump!(dir: FOLDER)) },
  "fork" => -> { file(LeakHunter.dump!(dir: FOLDER, fork: true)) },
  "snapshot" => -> { file(LeakHunter.snapshot!(dir: FOLDER)) },
  "live" => -> { LeakHunter::Heap.live.pause },
  "mark" => -> { LeakHunter.mark.then { |mark| mark.pause + mark.collecting } },
  "objects" => -> { GC.stat(:heap_live_slots) }
}.freeze

run(lambda do |env|
  if env["REQUEST_METHOD"] == "POST"
    answer = WAYS.fetch(env["PATH_INFO"].delete_prefix("/")).call.to_s
  else
    items = Array.new(600) { |index| { id: index, name: "item #{index}" } }
    answer = items.sum { |item| item[:name].size }.to_s
  end
  [200, { "content-type" => "text/plain" }, [answer]]
end)
