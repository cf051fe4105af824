# frozen_string_literal: true

# What allocation tracing costs requests to a Rails application (examples/leaky_rails, without its leaks), and how much
# memory it takes:
#
#   rake bench:tracing                 # ROUNDS=60 REQUESTS=250
#
# One process. In each round every tracer is on for some requests, one after the other, so that a busy moment of the
# machine meets all. CPU time of the process, collections included; of each tracer's rounds the lowest tenth.

require "leak_hunter"
LeakHunter.trace!(mode: :exact) # for the memory: of all that the application is made of

require "objspace"
require "rack"
require "tmpdir"

ROUNDS = Integer(ENV.fetch("ROUNDS", "60"))
REQUESTS = Integer(ENV.fetch("REQUESTS", "250"))

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

TRACERS = {
  "none" => [-> {}, -> {}],
  "exact" => [-> { LeakHunter.trace!(mode: :exact) }, -> { LeakHunter.untrace! }],
  "objspace" => [-> { ObjectSpace.trace_object_allocations_start },
                 lambda do
                   ObjectSpace.trace_object_allocations_stop
                   ObjectSpace.trace_object_allocations_clear
                 end]
}.freeze

Sample = Struct.new(:cpu, :gc)

def cpu = Process.clock_gettime(Process::CLOCK_PROCESS_CPUTIME_ID)

# In milliseconds.
def gc_time = GC.stat(:time)

def sample(visitor, start, stop)
  start.call
  visitor.visit(5)
  GC.start
  cpu_before = cpu
  gc_before = gc_time
  visitor.visit(REQUESTS)
  Sample.new(cpu - cpu_before, (gc_time - gc_before) / 1000.0)
ensure
  stop.call
end

def low(values) = values.sort[values.size / 10]

def row(name, samples, base)
  time, base_time = [samples, base].map { |list| low(list.map(&:cpu)) }
  gc = samples.sum(&:gc) / samples.size
  format("| %<name>s | %<time>.2f ms | %<ratio>.2f | %<gc>.2f ms |",
         name:, time: time * 1000 / REQUESTS, ratio: time / base_time, gc: gc * 1000 / REQUESTS)
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
    ROUNDS.times { TRACERS.each { |name, tracer| samples[name] << sample(visitor, *tracer) } }
    puts "", "| tracer | a request | ratio | of it in collections |", "|---|---|---|---|"
    samples.each { |name, list| puts row(name, list, samples["none"]) }
  end
end
