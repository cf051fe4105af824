# frozen_string_literal: true

# What the graph of a heap costs, with its dominators, paths and holders, against `reap`, which finds dominators alone:
#
#   rake bench:graph                         # 460,000 objects (180 MB), 4 million (1.6 GB), and a Rails application's
#   rake bench:graph OBJECTS=460000 RUNS=9   # objects of a synthetic dump; OBJECTS= for none
#   rake bench:graph RAILS=450000            # objects of the Rails application at least; RAILS= for none of it
#   rake bench:graph REAP=no
#
# LeakHunter is a small program around the engine, so that the memory is that of the graph alone. Each run is a process
# of its own, on the same dump, in the page cache, and the contenders take turns. CPU seconds are user and system time
# of all threads. The memory allowed is 40 bytes an object and 4 a reference; what is used is what the process's peak
# resident memory rose by from its start, buffers and the gaps of the allocator included, the program's code left out.
# What a diff with holders costs, in plain diffs of the same three dumps, is measured in one process, the two in turn;
# lower quartiles are for a machine that others use.

require "etc"
require "json"
require "open3"
require "rbconfig"
require_relative "dumps"

RUNS = Integer(ENV.fetch("RUNS", "5"))
numbers = ->(name, default) { ENV.fetch(name, default).split(",").map { |number| Integer(number) } }
OBJECTS = numbers["OBJECTS", "460000,4000000"]
RAILS = numbers["RAILS", "450000"]
THREADS = [1, 2].freeze
TARGET = File.expand_path(ENV.fetch("CARGO_TARGET_DIR", "target"))
PROGRAM = File.join(TARGET, "release", "examples", "graph_phases")
REAP = File.join(Dumps::FOLDER, "reap", "bin", "reap")
HOLDERS_COST = File.join(TARGET, "release", "examples", "holders_cost")
PHASES = %i[load graph dominators paths holders].freeze

def median(values) = values.sort[values.size / 2]

# @return [Hash] what the program printed, with its :wall and :cpu seconds
def measure(*command)
  before = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  times = Process.times
  output, status = Open3.capture2(*command)
  abort "#{command.first} failed" unless status.success?
  spent = Process.times
  cpu = spent.cutime + spent.cstime - times.cutime - times.cstime
  { output:, wall: Process.clock_gettime(Process::CLOCK_MONOTONIC) - before, cpu: }
end

def leak_hunter(dump, since, threads)
  run = measure(PROGRAM, dump, threads.to_s, since)
  run.merge(JSON.parse(run[:output], symbolize_names: true))
end

# @return [Boolean] whether there is a reap to compare with
def reap?
  return false if ENV["REAP"] == "no"
  return true if File.exist?(REAP)

  return true if system("cargo", "install", "reap", "--version", "^0.3", "--locked", "--root", File.dirname(REAP, 2))

  warn "reap cannot be installed; the comparison with it is left out"
  false
end

def table(*columns)
  puts
  puts "| #{columns.join(" | ")} |", "|#{"---|" * columns.size}"
end

against = reap?
puts "#{Etc.nprocessors} cores; medians of #{RUNS} runs; reap #{against ? `#{REAP} --version`[/[\d.]+/] : "left out"}"

sets = OBJECTS.map { |count| ["synthetic", count, Dumps.synthetic_graph(count)] }
sets += RAILS.map { |count| ["Rails", count, Dumps.rails_graph(count)] }
results = sets.to_h do |name, count, (dump, since)|
  runs = Hash.new { |hash, key| hash[key] = [] }
  File.open(dump) { |file| IO.copy_stream(file, File::NULL) } # into the page cache
  RUNS.times do |run|
    THREADS.each { |threads| runs[threads] << leak_hunter(dump, since, threads) }
    # it takes a minute for the large one
    runs[:reap] << measure(REAP, dump) if against && (run.zero? || count < 1_000_000)
  end
  megabytes = File.size(dump) / 1e6
  [[format("%<name>s, %<megabytes>.0f MB", name:, megabytes:), megabytes], runs]
end

table("dump", "objects", "threads", "wall", "CPU", "s/GB", "peak", "bytes an object", "used / allowed", "reap CPU",
      "reap / LeakHunter")
results.each do |(name, megabytes), runs|
  THREADS.each do |threads|
    of = runs[threads]
    objects, references = of[0].values_at(:objects, :references)
    cpu = median(of.map { |run| run[:cpu] })
    peak = median(of.map { |run| run[:phases].values.map { |phase| phase[:peak] }.max })
    other = median(runs[:reap].map { |run| run[:cpu] }) if against
    puts format("| %<name>s | %<objects>d | %<threads>d | %<wall>.2f s | %<cpu>.2f s | %<rate>.2f " \
                "| %<peak>.1f MB | %<each>.1f | %<share>.2f | %<other>s | %<factor>s |",
                name:, objects:, threads:, wall: median(of.map { |run| run[:wall] }), cpu:,
                rate: cpu / megabytes * 1000, peak: peak / 1e6, each: peak.fdiv(objects),
                share: peak.fdiv((objects * 40) + (references * 4)),
                other: other ? format("%.2f s", other) : "–", factor: other ? format("%.1f", other / cpu) : "–")
  end
end

table("dump", "threads", *PHASES)
results.each do |(name, _), runs|
  THREADS.each do |threads|
    seconds = PHASES.map { |phase| median(runs[threads].map { |run| run[:phases][phase][:seconds] }) }
    puts "| #{name} | #{threads} | #{seconds.map { |it| format("%.3f s", it) }.join(" | ")} |"
  end
end

table("three dumps", "threads", "plain", "with holders", "with holders / plain", "of lower quartiles")
RAILS.each do |count|
  dumps = Dumps.rails(count)
  THREADS.each do |threads|
    output = measure(HOLDERS_COST, threads.to_s, (RUNS * 3).to_s, *dumps)[:output]
    median, quartile = JSON.parse(output, symbolize_names: true).values_at(:median, :lower_quartile)
    puts format("| Rails, 3 × %<megabytes>.0f MB | %<threads>d | %<plain>.3f s | %<holders>.3f s | %<quotient>.2f " \
                "| %<low>.2f |",
                megabytes: dumps.sum { |dump| File.size(dump) } / 3e6, threads:, **median, low: quartile[:quotient])
  end
end
