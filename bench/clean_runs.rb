# frozen_string_literal: true

# Real programs that do not leak, with the real frameworks: Rails requests, Sinatra with templates, a job loop. Nothing
# in them may be called growing.
#
#   rake bench:verdict                 # RUNS=200 in all, WORKLOADS=rails,sinatra,jobs, after the simulated programs
#
# Each program runs in a process of its own, which works, dumps, works, dumps … Every three and every four dumps in a
# row are a run. Once more without warm-up: the first dump is taken before the first request, and the first three and
# four are a run each. Exits 1 when something was called growing.

require "leak_hunter"
require "English"
require "fileutils"
require "rbconfig"
require "tmpdir"

# A program in a process of its own, which works and dumps when it is told to.
class Workload
  LIB = File.expand_path("../lib", __dir__)
  MOMENTS = [3, 4].freeze

  def initialize(name, warm_up:)
    @name = name
    @warm_up = warm_up
  end

  # @param count [Integer] how often with three, and how often with four moments
  # @yieldparam moments [Integer]
  # @yieldparam result [Hash] of the diff
  def runs(count, &)
    Dir.mktmpdir("leak_hunter-clean") do |dir|
      script = File.join(__dir__, "clean_runs/#{@name}.rb")
      command = [RbConfig.ruby, "-W0", "-I", LIB, script, @warm_up ? "warm" : "cold"]
      IO.popen([*command, { chdir: dir }], "r+") { |program| slide(program, count, &) }
      raise "#{@name} failed: #{$CHILD_STATUS}" unless $CHILD_STATUS.success?
    end
  end

  private

  def slide(program, count)
    dumps = []
    (count + MOMENTS.max - 1).times do |index|
      dumps << dump(program)
      MOMENTS.each do |moments|
        next if dumps.size < moments || index >= count + moments - 1

        yield moments, LeakHunter.diff(*dumps.last(moments), holders: true)
      end
      FileUtils.rm(dumps.shift) if dumps.size == MOMENTS.max
    end
    program.close_write
  end

  def dump(program)
    program.puts
    program.gets&.chomp || raise("#{@name} ended")
  end
end

# What the diffs said.
class Outcome
  VERDICTS = %w[no_leak undecided leak].freeze

  def initialize
    @runs = Hash.new { |all, key| all[key] = Hash.new(0) }
    @holders = Hash.new { |all, key| all[key] = [] }
  end

  def note(key, result)
    @runs[key][result[:verdict][:name]] += 1
    [*result[:holders], *result[:grown_in_place]].each do |holder|
      verdict, reason = holder[:verdict].values_at(:name, :reason)
      next unless verdict == "growing" || (verdict == "inconclusive" && reason != "too_few")

      @holders[[verdict, holder[:name] || "without a name", reason, key]] << numbers(holder)
    end
  end

  def growing? = @holders.any? { |(verdict, *), _| verdict == "growing" }

  def print
    puts "| program | warm-up | moments | runs | #{VERDICTS.join(" | ")} |", "|---|---|---|---|---|---|---|"
    @runs.each { |key, verdicts| row(*key, verdicts.values.sum, *verdicts.values_at(*VERDICTS)) }
    list("growing")
    list("inconclusive")
  end

  private

  # Births by window; what grew in place has lengths only.
  def numbers(holder) = (holder[:births]&.map { |births| births[:count] } || holder[:growth]).join("/")

  def list(wanted)
    found = @holders.select { |(verdict, *), _| verdict == wanted }
    puts "", "#{found.empty? ? "Nothing" : found.sum { |_, runs| runs.size }} called #{wanted}"
    return if found.empty?

    puts "", "| holder | reason | program | warm-up | moments | runs | births: before, in each window |"
    puts "|---|---|---|---|---|---|---|"
    found.each { |(_, name, reason, key), runs| row(name, reason, *key, runs.size, runs.first(3).join(", ")) }
  end

  def row(*cells) = puts("| #{cells.join(" | ")} |")
end

workloads = ENV.fetch("WORKLOADS", "rails,sinatra,jobs").split(",")
count = Integer(ENV.fetch("RUNS", "200")).fdiv(workloads.size * Workload::MOMENTS.size).ceil
outcome = Outcome.new
workloads.product([true, false]) do |name, warm_up|
  Workload.new(name, warm_up:).runs(warm_up ? count : 1) do |moments, result|
    outcome.note([name, warm_up ? "yes" : "no", moments], result)
  end
end
outcome.print
exit 1 if outcome.growing?
