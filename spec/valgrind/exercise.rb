# frozen_string_literal: true

# Goes through the extension the ways that matter for its memory: results of all shapes, errors, and runs that are
# stopped half-way. Run by `rake mem:check` under valgrind.

require "leak_hunter"
require "timeout"
require "tmpdir"

RETAINED = [] # rubocop:disable Style/MutableConstant

def leak(times)
  times.times { |number| RETAINED << ["kept #{number}" * 10, { number => Object.new }] }
end

def fails(error)
  yield
rescue error
  # as it should
else
  raise "expected #{error}"
end

def diffs(paths)
  LeakHunter.diff(*paths)
  LeakHunter.diff(*paths, identity: :address, group_by: %i[type generation], top: 3)
  LeakHunter.diff(*paths, group_by: %i[type class gem], only: ["exercise"], ignore: [/nothing at all/], threads: 2)
  LeakHunter.diff(*paths, progress: ->(_done, _total) {})
end

def heaps(path)
  [LeakHunter::Heap.load(path), LeakHunter::Heap.live, LeakHunter::Heap.live(gc: false, threads: 2)].each do |heap|
    %i[retained count class gem site].each { |by| heap.top(by:, limit: 3) }
    object = heap.instances_of("String").first
    object.to_h
    object.path_to_root
    [*object.referrers.first(3), *object.dominated.first(3)].each(&:inspect)
    heap.roots.each_value(&:first)
  end
  kept = RETAINED.first(10)
  addresses = kept.map { |object| ObjectSpace.dump(object)[/0x\h+/].hex }
  raise "other objects" unless LeakHunter::Native.objects_at([*addresses, 8]) == [*kept, nil]
end

def marks
  moments = Array.new(2) { LeakHunter.mark.tap { leak(10) } }
  moments.first.then { |mark| [mark.classes, mark.sites(limit: 3), mark.groups(limit: 3)] }
  LeakHunter.diff(*moments, LeakHunter::Heap.live)
end

def errors(paths, dir)
  fails(LeakHunter::DumpUnreadable) { LeakHunter.diff(*paths[0, 2], File.join(dir, "missing.json")) }
  fails(LeakHunter::WrongOrder) { LeakHunter.diff(*paths.reverse) }
  fails(LeakHunter::SameDump) { LeakHunter.diff(paths[0], paths[0], paths[2]) }
  contents = { "" => LeakHunter::EmptyDump, "\x00\xFF" * 4096 => LeakHunter::NotADump,
               File.binread(paths[2])[0..-100] => LeakHunter::TruncatedDump }
  contents.each do |content, error|
    path = File.join(dir, "bad.json")
    File.binwrite(path, content)
    fails(error) { LeakHunter.diff(*paths[0, 2], path) }
  end
end

def stopped(paths)
  fails(Timeout::Error) { Timeout.timeout(0.01) { loop { LeakHunter.diff(*paths) } } }
  fails(IOError) { LeakHunter.diff(*paths, progress: ->(_done, _total) { raise IOError, "enough" }) }
  thread = Thread.new { LeakHunter.diff(*paths) }
  sleep 0.01
  thread.kill.join
  sleep 2 # what was stopped lets go of its memory on a thread of its own
end

# LeakHunter's own tracer: stacks, contexts, what moves, tables that are given up; and what is made of it.
def traced(dir)
  LeakHunter.trace!(mode: :exact, focus: "exercise.rb")
  moments = (1..3).map do |number|
    LeakHunter.context("round #{number}") { leak(100) }
    GC.compact if GC.respond_to?(:compact)
    [LeakHunter.snapshot!(File.join(dir, "walk#{number}.json.zst")).path, LeakHunter.mark]
  end
  diffs(moments.map(&:first))
  LeakHunter.diff(*moments[0, 2].map(&:last), LeakHunter::Heap.live, holders: true)
  LeakHunter.dump!(dir:, values: :length_and_digest, compress: :gzip)
  LeakHunter.clear
  LeakHunter.untrace!
  20.times { LeakHunter.trace!(mode: :exact) { leak(5) } }
end

# One allocation in so many, or one byte.
def samples(dir)
  [{ every: 3 }, { by: :bytes, every: 200 }, { every: 3, budget: 0.5 }].each_with_index do |options, index|
    LeakHunter.trace!(mode: :sampled, **options)
    paths = (1..3).map do |number|
      path = File.join(dir, "sampled #{index} #{number}.json")
      (number == 2 ? LeakHunter.snapshot!(path) : LeakHunter.dump!(path)).path.tap { leak(200) }
    end
    GC.compact if GC.respond_to?(:compact)
    RETAINED.last(10).each { |it| LeakHunter::Tracing.allocation(it) }
    LeakHunter.diff(*paths, holders: true)
    LeakHunter.untrace!
  end
end

Dir.mktmpdir do |dir|
  LeakHunter.trace!(mode: :objspace)
  paths = (1..3).map do |number|
    LeakHunter.dump!(File.join(dir, "#{number}.json")).path.tap { leak(200) }
  end
  diffs(paths)
  heaps(paths.last)
  marks
  LeakHunter.untrace!
  traced(dir)
  samples(dir)
  errors(paths, dir)
  stopped(paths)
end
