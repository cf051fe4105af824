# frozen_string_literal: true

# What it costs to see who uses which gem, against loading the dump:
#
#   rake bench:gems                  # the last dump of a Rails application with 450,000 objects (180 MB)
#   rake bench:gems RAILS=1 RUNS=9   # objects at least
#   rake bench:gems DUMP=3.json      # another dump

require "leak_hunter"
require_relative "dumps"

RUNS = Integer(ENV.fetch("RUNS", "5"))
OBJECTS = Integer(ENV.fetch("RAILS", "450000"))
THREADS = [1, 2].freeze

def seconds
  start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
  yield
  Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
end

def median(values) = values.sort[values.size / 2]

dump = ENV["DUMP"] || Dumps.rails(OBJECTS).last
puts "#{(File.size(dump) / 1e6).round} MB, Ruby #{RUBY_VERSION}"
puts "threads  load s  gems s  gems/load"
THREADS.each do |threads|
  times = Array.new(RUNS) do
    heap = nil
    [seconds { heap = LeakHunter::Heap.load(dump, threads:) }, seconds { heap.native.gem_uses({}) }]
  end
  load, gems = times.transpose.map { |values| median(values) }
  puts [threads.to_s.rjust(7), *[load, gems].map { |it| it.round(2).to_s.rjust(6) },
        (gems / load).round(2).to_s.rjust(9)].join("  ")
end
