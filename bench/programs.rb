# frozen_string_literal: true

# Is what the programs of the specs' catalogues leak called growing, and nothing else? Runs each program of
# spec/fixtures/programs and each kind of holder of spec/fixtures/holders in a process of its own, with three dumps: once
# as it is, so that it leaks in both windows, and once so that it leaks in the first window only. Prints the confusion
# matrix, and exits 1 when precision or recall is below 0.97.
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
      MODES.map { |mode| new("programs", program.name, mode, program.named) }
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
    table = symbols.each_cons(2).all? { |before, after| after - before >= NEW_SYMBOLS } ? [SYMBOLS] : []
    table.reject! { |name| @growing.any? { |known| known === name } }
    @growing + table
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
  COLUMNS = ["growing", "inconclusive", "too few", "draining", "replaced", "once", "not named"].freeze

  def initialize
    @counts = Hash.new { |all, row| all[row] = Hash.new(0) }
    @faults = []
  end

  def note(subject, result)
    holders, symbols = result.values_at(:holders, :symbols)
    expected = subject.growing(symbols).to_h { |name| [name, holders.select { |it| names(it).any?(name) }] }
    expected.each_value { |found| count(subject, true, found.min_by { |it| rank(it) }) }
    (holders - expected.values.flatten).each { |holder| count(subject, false, holder) }
  end

  def precision = share(said("growing", true), said("growing", false))

  def recall = share(said("growing", true), COLUMNS.drop(1).sum { |column| said(column, true) })

  def good? = [precision, recall].min >= ASKED

  def print
    puts "| catalogue | leaks in | truth | #{COLUMNS.join(" | ")} |", "|#{"---|" * (COLUMNS.size + 3)}"
    @counts.sort_by(&:first).each do |(*row, grows), counts|
      puts "| #{[*row, grows == 0 ? "grows" : "does not", *counts.values_at(*COLUMNS)].join(" | ")} |"
    end
    puts "", *@faults, "" if @faults.any?
    puts format("precision %.4f, recall %.4f over %d things that grow", precision, recall,
                COLUMNS.sum { |column| said(column, true) })
  end

  private

  def names(holder) = [holder, *holder[:together]].map { |it| it[:name].to_s }

  def rank(holder) = COLUMNS.index(column(holder))

  def column(holder)
    return "not named" unless holder

    name, reason = holder[:verdict].values_at(:name, :reason)
    reason == "too_few" ? "too few" : name
  end

  def count(subject, grows, holder)
    column = column(holder)
    window = subject.mode == "every" ? "every window" : "the first"
    @counts[[subject.catalogue, window, grows ? 0 : 1]][column] += 1
    return if grows == (column == "growing")
    return unless grows || column == "growing"

    births = holder&.fetch(:births)&.map { |it| it[:count] }
    @faults << "#{subject.name}, #{window}: #{grows ? "grows" : "does not grow"}, called #{column}" \
               "#{" (#{holder[:name] || "without a name"}, #{holder[:verdict][:reason]}, births #{births.join("/")})" if holder}"
  end

  def said(column, grows)
    @counts.sum { |(*, truth), counts| truth == (grows ? 0 : 1) ? counts[column] : 0 }
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
