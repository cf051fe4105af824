# frozen_string_literal: true

# LeakHunter.diff against the classic three-dump script and against `wc -l`, all in one run on the same dumps:
#
#   rake bench:diff                  # about 20 MB, 200 MB and 2 GB a dump; takes some ten minutes
#   rake bench:diff SIZES=20,200     # megabytes a dump
#   rake bench:diff RUNS=9
#
# Each run is a process of its own. The files are in the page cache. What counts are the ratios and how they hold
# between sizes: machines differ and are busy. The classic script runs less often, since it takes minutes.

require "etc"
require "json"
require "open3"
require "rbconfig"
require_relative "dumps"

RUNS = Integer(ENV.fetch("RUNS", "5"))
SIZES = ENV.fetch("SIZES", "20,200,2000").split(",").map { |size| Integer(size) }
THREADS = [1, 2].freeze

MEASURE = <<~'RUBY'
  require "json"
  require "leak_hunter"
  LeakHunter::Native
  peak = -> { File.read("/proc/self/status")[/VmHWM:\s+(\d+)/, 1].to_i / 1024.0 }
  GC.start
  before = peak.call
  start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  report = LeakHunter.diff(*ARGV.drop(1), threads: ARGV[0].to_i)
  seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
  puts JSON.generate(seconds:, growth: peak.call - before, leaked: report[:totals][:count])
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

def leak_hunter(threads, paths)
  JSON.parse(run(RbConfig.ruby, "-Ilib", "-e", MEASURE, threads.to_s, *paths), symbolize_names: true)
end

def wc(paths) = seconds { run("wc", "-l", *paths) }

def classic(paths) = seconds { run(RbConfig.ruby, File.join(__dir__, "classic.rb"), *paths) }

puts "ruby #{RUBY_VERSION}, json #{JSON::VERSION}, #{Etc.nprocessors} cores; medians of #{RUNS} runs"
puts
COLUMNS = ["dumps", "threads", "LeakHunter", "GB/s", "wc -l", "LeakHunter / wc", "classic", "classic / LeakHunter",
           "growth", "leaked"].freeze
puts "| #{COLUMNS.join(" | ")} |", "|#{"---|" * COLUMNS.size}"

SIZES.each do |size|
  paths = Dumps.of(size)
  megabytes = paths.sum { |path| File.size(path) } / 1e6
  wc(paths) # fills the page cache
  results = Hash.new { |hash, key| hash[key] = [] }
  RUNS.times do
    # One after the other, so that a busy moment of the machine meets them all.
    results[:wc] << wc(paths)
    THREADS.each { |threads| results[threads] << leak_hunter(threads, paths) }
  end
  (size > 100 ? 1 : 3).times { results[:classic] << classic(paths) }

  THREADS.each do |threads|
    ours = median(results[threads].map { |it| it[:seconds] })
    lines = median(results[:wc])
    script = median(results[:classic])
    puts format(
      "| 3 × %<size>.0f MB | %<threads>d | %<ours>.3f s | %<speed>.1f | %<lines>.3f s | %<to_wc>.2f | %<script>.1f s " \
      "| %<factor>.0f | %<growth>.1f MB | %<leaked>d |",
      size: megabytes / 3, threads:, ours:, speed: megabytes / 1000 / ours, lines:, to_wc: ours / lines, script:,
      factor: script / ours, growth: results[threads].map { |it| it[:growth] }.max,
      leaked: results[threads][0][:leaked]
    )
  end
end
