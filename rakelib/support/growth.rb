# frozen_string_literal: true

require "etc"
require "open3"

# How the work of `examples/complexity` grows with the size of its input, counted by valgrind.
class Growth
  # Work that grows like n has 1, like n² has 2.
  # The parser's table of names has clusters for thousands of names that look alike: a bit more than linear.
  LARGEST_EXPONENT = { "lines" => 1.1, "graph" => 1.1, "scan" => 1.8 }.freeze
  # Instructions for one byte or object more: over all passes of a scan and a diff with holders, or of loading a heap,
  # all its analyses and three views. Shapes with a class for each object have twice the objects. Work that is linear
  # but absurd is refused as well.
  # A scan's sources: for each byte.
  LARGEST_SLOPE = { "lines" => 10_000, "graph" => 100_000, "scan" => 10_000 }.freeze
  VALGRIND = %w[valgrind --tool=cachegrind --cache-sim=no --cachegrind-out-file=/dev/null].freeze

  # A shape and the instructions for each of its sizes.
  Row = Struct.new(:kind, :name, :sizes, :counts) do
    # Of differences, so that the cost of starting the program does not count.
    def exponent = Math.log2([counts[2] - counts[1], 1].max.fdiv([counts[1] - counts[0], 1].max))

    def slope = (counts[2] - counts[0]).fdiv(sizes[2] - sizes[0])

    def fine? = exponent <= LARGEST_EXPONENT.fetch(kind) && slope <= LARGEST_SLOPE.fetch(kind)

    def to_s
      numbers = [sizes.last.to_s.rjust(10), exponent.round(2).to_s.rjust(6), slope.round.to_s.rjust(8)]
      "#{kind.ljust(6)} #{name.ljust(28)} #{numbers.join(" ")}#{" <- too much" unless fine?}"
    end
  end

  def self.available? = system(*VALGRIND.first, "--version", out: File::NULL, err: File::NULL)

  # only: a regexp for `kind name`, or nil
  def initialize(binary, only: nil)
    @binary = binary
    @shapes = IO.popen([binary, "list"], &:readlines).map(&:split)
    @shapes = @shapes.select { |kind, name| Regexp.new(only).match?("#{kind} #{name}") } if only
  end

  def rows = @rows ||= count

  def failures = rows.reject(&:fine?).map { |row| "#{row.kind} #{row.name}" }

  def table
    ["#{"input".ljust(6)} #{"shape".ljust(28)} #{"size".rjust(10)} #{"n^".rjust(6)} #{"per unit".rjust(8)}", *rows]
  end

  private

  def count
    rows = @shapes.map { |kind, name, *sizes| Row.new(kind, name, sizes.map(&:to_i), []) }
    jobs = Queue.new
    rows.each { |row| row.sizes.each_index { |index| jobs << [row, index] } }
    jobs.close
    Array.new(Etc.nprocessors) do
      Thread.new do
        while (row, index = jobs.pop)
          row.counts[index] = instructions(row.kind, row.name, row.sizes[index].to_s)
        end
      end
    end.each(&:join)
    rows
  end

  def instructions(*arguments)
    command = [*VALGRIND, @binary, *arguments]
    output, status = Open3.capture2e(*command)
    raise "#{command.join(" ")} failed:\n#{output}" unless status.success?

    output[/I\s+refs:\s+([\d,]+)/, 1].delete(",").to_i
  end
end
