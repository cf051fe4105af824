# frozen_string_literal: true

# How long a scan of whole trees takes: Debian's Rails and Sidekiq, or FOLDERS=one:two. RUNS=5 of each, the best counts.

require "leak_hunter"

gems = "/usr/share/rubygems-integration/all/gems"
default = Dir["#{gems}/{action,active,rail,sidekiq}*-[0-9]*"]
folders = ENV["FOLDERS"]&.split(":") || default
abort "no sources: apt-get install ruby-rails ruby-sidekiq, or FOLDERS=one:two" if folders.empty?

clock = -> { Process.clock_gettime(Process::CLOCK_MONOTONIC) }
runs = Array.new(Integer(ENV.fetch("RUNS", "5"))) do
  started = clock.call
  scan = LeakHunter::Scan.call(*folders, threads: 2)
  [clock.call - started, scan]
end
seconds, scan = runs.min_by(&:first)
findings = scan[:findings].size
puts "#{scan[:files]} files, #{scan[:lines]} lines: #{seconds.round(2)} s on two threads, #{findings} findings, " \
     "one for #{scan[:lines] / [findings, 1].max} lines"
rules = scan[:findings].map { |finding| finding[:rule] }.tally.sort
rules.each { |rule, count| puts "#{count.to_s.rjust(4)}  #{rule}" }
