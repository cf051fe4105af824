# frozen_string_literal: true

# What allocation tracing costs requests to a Rails application (examples/leaky_rails, without its leaks), and how much
# memory it takes:
#
#   rake bench:tracing                 # ROUNDS=60 REQUESTS=250
#
# "budget" is sampling that may take 1 % of the CPU time: its rounds have pulses in which allocations are reported, and
# longer times in which they are not; the mean of all counts, as few rounds have a pulse.
#
# One process. In each round every tracer is on for some requests, one after the other, so that a busy moment of the
# machine meets all; some requests before them are not counted, so that stacks and places are known, as in a process
# that is traced for long. CPU time of the process, collections included; of each tracer's rounds the lowest tenth.

require "leak_hunter"
LeakHunter.trace!(mode: :exact) # for the memory: of all that the application is made of

require "objspace"
require "rack"
require "tmpdir"

ROUNDS = Integer(ENV.fetch("ROUNDS", "60"))
REQUESTS = Integer(ENV.fetch("REQUESTS", "250"))
WARM_UP = 150

# Requests to the application, as Rack makes them.
class Visitor
  def initialize(app)
    @app = app
    @visits = 0
  end

  def visit(count)
    count.times do
      @visits += 1
      status, _, body = @app.call(Rack::MockRequest.env_for("/articles/#{(@visits * 7 % News::ARTICLES) + 1}"))
      body.each(&:itself)
      body.close if body.respond_to?(:close)
      raise "status #{status}" unless status == 200
    end
  end
end

# What a tracer is switched on by, in the course of requests, and off.
TRACERS = {
  "none" => [->(_) {}, -> {}],
  "exact" => [->(_) { LeakHunter.trace!(mode: :exact) }, -> { LeakHunter.untrace! }],
  "sampled" => [->(_) { LeakHunter.trace!(mode: :sampled) }, -> { LeakHunter.untrace! }],
  "budget" => [lambda do |visitor|
                 LeakHunter.trace!(mode: :sampled, budget: 0.01)
                 # what it takes to begin is part of the budget, too, so the first pulse is late
                 visitor.visit(50) until LeakHunter::Native.sampling[:taken].positive?
               end, -> { LeakHunter.untrace! }],
  "objspace" => [->(_) { ObjectSpace.trace_object_allocations_start },
                 lambda do
                   ObjectSpace.trace_object_allocations_stop
                   ObjectSpace.trace_object_allocations_clear
                 end]
}.freeze

Sample = Struct.new(:cpu, :gc)

def cpu = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)

# In milliseconds.
def gc_time = GC.stat(:time)

# Of a request.
def sample(visitor, name)
  start, stop = TRACERS.fetch(name)
  start.call(visitor)
  visitor.visit(WARM_UP)
  GC.start
  cpu_before = cpu
  gc_before = gc_time
  visitor.visit(REQUESTS)
  Sample.new((cpu - cpu_before) / REQUESTS, (gc_time - gc_before) / 1000.0 / REQUESTS)
ensure
  stop.call
end

def low(values) = values.sort[values.size / 10]

def mean(values) = values.sum / values.size

def row(name, samples, base)
  time, base_time = [samples, base].map { |list| low(list.map(&:cpu)) }
  time, base_time = [samples, base].map { |list| mean(list.map(&:cpu)) } if name == "budget"
  gc = samples.sum(&:gc) / samples.size
  format("| %<name>s | %<time>.2f ms | %<ratio>.2f | %<gc>.2f ms |",
         name:, time: time * 1000, ratio: time / base_time, gc: gc * 1000)
end

def memory
  3.times { GC.start }
  held = LeakHunter::Native.traced
  heap = LeakHunter::Heap.live(names: false)
  traced = heap.count(&:generation)
  format("%<traced>d living objects are traced, of %<places>d places, in a heap of %<slots>d slots; the tables take " \
         "%<bytes>.1f MB, %<each>.1f bytes each; missed: %<missed>d",
         traced:, places: held[:places], slots: GC.stat(:heap_available_slots), bytes: held[:memory] / 1e6,
         each: held[:memory].fdiv(traced), missed: held[:missed_allocations])
ensure
  LeakHunter.untrace!
end

Dir.mktmpdir do |dir|
  Dir.chdir(dir) do
    require_relative "../examples/leaky_rails/lib/news" # its log is a file in this folder
    News.boot(leaks: false)
    visitor = Visitor.new(News::Application)
    visitor.visit(100)
    puts memory
    samples = TRACERS.transform_values { [] }
    ROUNDS.times { TRACERS.each_key { |name| samples[name] << sample(visitor, name) } }
    puts "", "| tracer | a request | ratio | of it in collections |", "|---|---|---|---|"
    samples.each { |name, list| puts row(name, list, samples["none"]) }
  end
end
