# frozen_string_literal: true

# LeakHunter.diff, plain and with holders, against the classic three-dump script and against `wc -l`, all in one run on
# the same dumps:
#
#   rake bench:diff                  # synthetic dumps of about 20 MB, 200 MB and 2 GB, and a Rails application's
#   rake bench:diff SIZES=20,200     # megabytes of a synthetic dump; SIZES= for none
#   rake bench:diff RAILS=450000     # objects of the Rails application at least; RAILS= for none of it
#   rake bench:diff RUNS=9
#   rake bench:diff CLASSIC=no       # without the classic script, which takes minutes
#
# Each run is a process of its own, and the contenders take turns, so that a busy moment of the machine meets them all.
# The files are in the page cache. What counts are the ratios and how they hold between sizes: machines differ and are
# busy. The classic script runs less often, since it takes minutes. THREADS is what the diff is told; on its own it
# leaves one core to the application, and the command line takes them all.

require "etc"
require "json"
require "open3"
require "rbconfig"
require_relative "dumps"

numbers = ->(name, default) { ENV.fetch(name, default).split(",").map { |number| Integer(number) } }
RUNS = Integer(ENV.fetch("RUNS", "5"))
SIZES = numbers["SIZES", "20,200,2000"]
RAILS = numbers["RAILS", "450000"]
THREADS = numbers["THREADS", "1,2"]

MEASURE = <<~'RUBY'
  require "json"
  require "leak_hunter"
  LeakHunter::Native
  peak = -> { File.read("/proc/self/status")[/VmHWM:\s+(\d+)/, 1].to_i / 1024.0 }
  GC.start
  before = peak.call
  start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  report = LeakHunter.diff(*ARGV.drop(2), threads: ARGV[0].to_i, holders: ARGV[1] == "holders")
  seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
  puts JSON.generate(seconds:, growth: peak.call - before, records: report[:dumps].last[:records],
                     leaked: report[:totals][:count], holders: report[:holders]&.size)
RUBY

def median(values) = values.sort[values.size / 2]

def seconds
  start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  yield
  Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
end

def run(*command)
  output, status = Open3.capture2(*command)
  abort "#{command.first(3).join(" ")} failed" unless status.success?
  output
end

def leak_hunter(threads, how, paths)
  JSON.parse(run(RbConfig.ruby, "-Ilib", "-e", MEASURE, threads.to_s, how.to_s, *paths), symbolize_names: true)
end

def wc(paths) = seconds { run("wc", "-l", *paths) }

def classic(paths) = seconds { run(RbConfig.ruby, File.join(__dir__, "classic.rb"), *paths) }

def classic_runs(paths)
  return 0 if ENV["CLASSIC"] == "no"

  File.size(paths.first) > 100_000_000 ? 1 : 3
end

# @return [Hash{Object => Array}] by contender
def measure(paths)
  wc(paths) # fills the page cache
  results = Hash.new { |hash, key| hash[key] = [] }
  RUNS.times do
    results[:wc] << wc(paths)
    THREADS.product(%i[plain holders]).each { |contender| results[contender] << leak_hunter(*contender, paths) }
  end
  classic_runs(paths).times { results[:classic] << classic(paths) }
  results
end

def table(*columns)
  puts
  puts "| #{columns.join(" | ")} |", "|#{"---|" * columns.size}"
  yield
end

sets = SIZES.map { |size| ["synthetic", Dumps.synthetic(size)] } + RAILS.map { |count| ["Rails", Dumps.rails(count)] }
results = sets.to_h do |name, paths|
  megabytes = paths.sum { |path| File.size(path) } / 1e6
  [[format("%<name>s, 3 × %<size>.0f MB", name:, size: megabytes / 3), megabytes], measure(paths)]
end

puts "ruby #{RUBY_VERSION}, json #{JSON::VERSION}, #{Etc.nprocessors} cores; medians of #{RUNS} runs"
table("dumps", "objects", "threads", "LeakHunter", "GB/s", "wc -l", "LeakHunter / wc", "classic",
      "classic / LeakHunter", "growth", "leaked") do
  results.each do |(name, megabytes), of|
    THREADS.each do |threads|
      runs = of[[threads, :plain]]
      ours = median(runs.map { |it| it[:seconds] })
      lines = median(of[:wc])
      script = median(of[:classic])
      puts format(
        "| %<name>s | %<records>d | %<threads>d | %<ours>.3f s | %<speed>.1f | %<lines>.3f s | %<to_wc>.2f " \
        "| %<script>s | %<factor>s | %<growth>.1f MB | %<leaked>d |",
        name:, records: runs[0][:records], threads:, ours:, speed: megabytes / 1000 / ours, lines:,
        to_wc: ours / lines, script: script ? format("%.1f s", script) : "–",
        factor: script ? (script / ours).round : "–", growth: runs.map { |it| it[:growth] }.max,
        leaked: runs[0][:leaked]
      )
    end
  end
end

table("dumps", "threads", "plain", "with holders", "with holders / plain", "growth with holders", "holders") do
  results.each do |(name, _), of|
    THREADS.each do |threads|
      plain, whole = %i[plain holders].map { |how| median(of[[threads, how]].map { |it| it[:seconds] }) }
      runs = of[[threads, :holders]]
      puts format("| %<name>s | %<threads>d | %<plain>.3f s | %<whole>.3f s | %<factor>.2f | %<growth>.1f MB " \
                  "| %<count>d |",
                  name:, threads:, plain:, whole:, factor: whole / plain,
                  growth: runs.map { |it| it[:growth] }.max, count: runs[0][:holders])
    end
  end
end
