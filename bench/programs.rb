# frozen_string_literal: true

# Is what the programs of the specs' catalogues leak called growing, and nothing else? Runs each program of
# spec/fixtures/programs and each kind of holder of spec/fixtures/holders in a process of its own, with three dumps: as
# it is, so that it leaks in both windows, and so that it leaks in the first window only. Prints the confusion matrix,
# and exits 1 when precision or recall is below 0.97.
#
#   rake bench:programs                # PROGRAMS=name,name  JOBS=2

require "English"
require "etc"
require "json"
require "open3"
require "rbconfig"
require "tmpdir"
require_relative "../spec/fixtures/holders/holder_kinds"
require_relative "../spec/fixtures/programs/programs"

# A program of a catalogue, and what it says of itself.
class Subject
  FIXTURES = File.expand_path("../spec/fixtures", __dir__)
  MODES = %w[every first].freeze

  # @return [Array<Subject>]
  def self.all
    programs = Programs.all.values.select { |program| program.on?(RUBY_VERSION) }.flat_map do |program|
      leaks = program.grows? && program.leaks_on?(RUBY_VERSION)
      MODES.map { |mode| new("programs", program.name, mode, leaks ? program.named + program.growing : []) }
    end
    kinds = HolderKinds.all.values.flat_map do |kind|
      MODES.map { |mode| new("kinds of holders", kind.name, mode, [->(name) { kind.named_in?(name) }]) }
    end
    programs + kinds
  end

  # What keeps the names of methods, variables and keys, of which some programs make new ones all the time.
  SYMBOLS = "the VM's symbol table"
  # More in a window than loading code takes.
  NEW_SYMBOLS = 10

  attr_reader :catalogue, :name, :mode

  # @param growing [Array<#===>] names of holders that grow where it leaks in every window
  def initialize(catalogue, name, mode, growing)
    @catalogue = catalogue
    @name = name
    @mode = mode
    @growing = mode == "every" ? growing : []
  end

  # What grows, by what the catalogue says, and by how many symbols Ruby has.
  def growing(symbols)
    return @growing unless symbols.each_cons(2).all? { |before, after| after - before >= NEW_SYMBOLS }

    [*@growing, SYMBOLS].uniq
  end

  # @return [Hash] `holders`, and the number of `symbols` at each dump
  def run
    folder = @catalogue == "programs" ? "programs" : "holders"
    Dir.mktmpdir("leak_hunter-program") do |dir|
      output, status = Open3.capture2(RbConfig.ruby, File.join(FIXTURES, folder, "judge.rb"), @name, dir, @mode)
      raise "#{@name}, #{@mode}: #{status}" unless status.success?

      JSON.parse(output, symbolize_names: true)
    end
  end
end

# What was said of what grows, and of what does not.
class Matrix
  ASKED = 0.97
  TRUTHS = { grows: "grows", stays: "does not grow" }.freeze
  COLUMNS = ["growing", "inconclusive", "too few", "draining", "replaced", "once", "not named"].freeze

  def initialize
    @counts = Hash.new { |all, row| all[row] = Hash.new(0) }
    @faults = []
  end

  def note(subject, result)
    holders, symbols = result.values_at(:holders, :symbols)
    expected = subject.growing(symbols).map { |name| holders.select { |it| names(it).any?(name) } }
    expected.each { |found| count(subject, :grows, found.min_by { |it| COLUMNS.index(column(it)) }) }
    (holders - expected.flatten).each { |holder| count(subject, :stays, holder) }
  end

  def precision = share(said("growing", :grows), said("growing", :stays))

  def recall = share(said("growing", :grows), COLUMNS.drop(1).sum { |column| said(column, :grows) })

  def good? = [precision, recall].min >= ASKED

  def print
    puts "| catalogue | leaks in | truth | #{COLUMNS.join(" | ")} |", "|#{"---|" * (COLUMNS.size + 3)}"
    @counts.sort_by(&:first).each { |row, counts| puts "| #{[*row, *counts.values_at(*COLUMNS)].join(" | ")} |" }
    puts "", *@faults, "" if @faults.any?
    grow = COLUMNS.sum { |column| said(column, :grows) }
    puts "precision #{precision.floor(4)}, recall #{recall.floor(4)} over #{grow} things that grow"
  end

  private

  def names(holder) = [holder, *holder[:together]].map { |it| it[:name].to_s }

  def column(holder)
    return "not named" unless holder

    name, reason = holder[:verdict].values_at(:name, :reason)
    reason == "too_few" ? "too few" : name
  end

  def count(subject, truth, holder)
    called = column(holder)
    window = subject.mode == "every" ? "every window" : "the first"
    @counts[[subject.catalogue, window, TRUTHS.fetch(truth)]][called] += 1
    fault(subject, truth, called, holder) if (truth == :grows) != (called == "growing")
  end

  def fault(subject, truth, called, holder)
    births = holder && holder[:births].to_a.map { |it| it[:count] }.join("/")
    said = holder ? " (#{holder[:name] || "without a name"}, #{holder[:verdict][:reason]}, births #{births})" : ""
    @faults << "#{subject.name}, leaks in #{subject.mode}: #{TRUTHS.fetch(truth)}, called #{called}#{said}"
  end

  def said(column, truth)
    @counts.sum { |(*, words), counts| words == TRUTHS.fetch(truth) ? counts[column] : 0 }
  end

  def share(part, rest) = part.zero? ? 0.0 : part.fdiv(part + rest)
end

wanted = ENV["PROGRAMS"]&.split(",")
waiting = Queue.new
Subject.all.each { |subject| waiting << subject if wanted.nil? || wanted.include?(subject.name) }
waiting.close
results = Queue.new
workers = Array.new(Integer(ENV.fetch("JOBS", Etc.nprocessors.to_s))) do
  Thread.new do
    while (subject = waiting.pop)
      results << [subject, subject.run]
    end
  end
end
workers.each(&:join)
matrix = Matrix.new
matrix.note(*results.pop) until results.empty?
matrix.print
exit 1 unless matrix.good?
