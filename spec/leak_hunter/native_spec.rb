# frozen_string_literal: true

require "fileutils"
require "timeout"

# The extension inside a living process: it must not hold up other threads, and must let go when told to.
RSpec.describe "A diff in a living process" do
  let(:slow) { SlowDumps.paths }

  # Runs a slow diff and tells how far it came.
  def run_slowly(running = nil)
    seen = []
    progress = lambda do |done, total|
      seen << [done, total]
      running&.push(true)
    end
    LeakHunter.diff(*slow, threads: 1, progress:)
  ensure
    @progress = seen
  end

  # The total is 0 until the files are opened.
  def stopped_early? = @progress.empty? || @progress.last == [0, 0] || @progress.last[0] < @progress.last[1]

  # One that sleeps and wakes up in between: a turn each time that it does.
  it "lets other Ruby threads run" do
    turns = 0
    other = Thread.new do
      loop do
        sleep 0.001
        turns += 1
      end
    end
    sleep 0.001 until turns.positive?
    before = turns
    expect(LeakHunter.diff(*slow, threads: 1)[:totals][:count]).to eq(1)
    expect(turns - before).to be > 50
  ensure
    other&.kill&.join
  end

  it "is stopped by Timeout before its work is done" do
    expect { Timeout.timeout(0.05) { run_slowly } }.to raise_error(Timeout::Error)
    expect(stopped_early?).to be(true)
  end

  it "is stopped by Thread#kill and Thread#raise" do
    [:kill, [:raise, IOError]].each do |call|
      running = Queue.new
      thread = Thread.new { run_slowly(running) }
      thread.report_on_exception = false
      running.pop
      thread.public_send(*call)
      call == :kill ? thread.join : expect { thread.join }.to(raise_error(IOError))
      expect(stopped_early?).to be(true)
    end
  end

  it "is stopped by Ctrl-C" do
    output = run_ruby(<<~RUBY, *slow)
      seen = nil
      running = Queue.new
      Thread.new { running.pop && Process.kill(:INT, Process.pid) }
      begin
        LeakHunter.diff(*ARGV, threads: 1, progress: ->(*progress) { running << seen = progress })
        puts "not stopped"
      rescue Interrupt
        puts seen == [0, 0] || seen[0] < seen[1] ? "stopped" : "stopped late"
      end
    RUBY
    expect(output).to eq("stopped\n")
  end

  it "is stopped by what the progress callback raises, and raises that" do
    calls = 0
    stop = lambda do |_done, _total|
      calls += 1
      raise KeyError, "enough"
    end
    expect { LeakHunter.diff(*slow, threads: 1, progress: stop) }.to raise_error(KeyError, "enough")
    expect(calls).to eq(1)
  end

  it "leaves no thread and no memory behind when it was stopped" do
    # each thread of another arena of malloc's would keep some, up to many arenas
    settings = { options: %w[-rtimeout], env: { "MALLOC_ARENA_MAX" => "1" } }
    more_threads, more_memory = run_ruby(<<~RUBY, *slow, *RealDumps.paths, **settings).split.map(&:to_i)
      slow, quick = ARGV.each_slice(3).to_a
      resident = -> { File.read("/proc/self/statm").split[1].to_i * 4096 }
      native_threads = -> { Dir.children("/proc/self/task").size }
      stop = lambda do |_|
        Timeout.timeout(0.03) { LeakHunter.diff(*slow) }
        raise "not stopped"
      rescue Timeout::Error
        nil
      end
      LeakHunter.diff(*quick) # loads what it takes
      30.times(&stop)
      threads = native_threads.call
      memory = resident.call
      60.times(&stop)
      6_000.times { native_threads.call > threads ? sleep(0.01) : break }
      puts native_threads.call - threads, resident.call - memory
    RUBY
    expect(more_threads).to be <= 0
    # One run's buffers are about 2 MB; sixty times that would show.
    expect(more_memory).to be < 40 * (1024**2)
  end

  it "tells its progress, in bytes, up to the end" do
    seen = []
    LeakHunter.diff(*RealDumps.paths, progress: ->(done, total) { seen << [done, total] })
    total = RealDumps.paths.sum { |path| File.size(path) }
    expect(seen.last).to eq([total, total])
    expect(seen).to eq(seen.sort) # both only rise
  end

  it "works in a child forked after a diff, and in one forked during a diff" do
    output = run_ruby(<<~RUBY, *slow, *RealDumps.paths, options: %w[-rtimeout])
      slow, quick = ARGV.each_slice(3).to_a
      # with a number of threads, it does not stand back where the machine is busy
      count = ->(paths) { LeakHunter.diff(*paths, threads: 2)[:totals][:count] }
      expected = count[quick]
      during = Thread.new { count[slow] }
      sleep 0.05
      children = Array.new(30) { fork { exit!(count[quick] == expected ? 0 : 1) } }
      children << fork { exit!(Timeout.timeout(3_000) { count[slow] } == 1 ? 0 : 1) }
      p children.map { |child| Process.wait2(child)[1].exitstatus }
      p during.value
    RUBY
    expect(output).to eq("#{[0] * 31}\n1\n")
  end

  it "runs in several threads at once, each with its own answer" do
    answers = Array.new(4) { |index| Thread.new { LeakHunter.diff(*RealDumps.paths, top: index)[:groups].size } }
    expect(answers.map(&:value)).to eq([0, 1, 2, 3])
  end

  it "gives the same answer on any number of threads" do
    reports = [1, 2, 3, 8].map { |threads| LeakHunter.diff(*RealDumps.paths, threads:) }
    expect(reports.uniq.size).to eq(1)
  end

  it "raises errors that say where in which file", :tmpdir do
    good = RealDumps.paths
    cut = File.join(@tmpdir, "cut.json")
    lines = File.readlines(good[2])
    File.write(cut, lines[1..40].join + lines[41][0, 30])
    expect { LeakHunter.diff(good[0], good[1], cut) }.to raise_error(LeakHunter::TruncatedDump) do |error|
      expect([error.path, error.line, error.byte]).to eq([cut, 41, lines[1..40].join.bytesize])
      expect(error.message).to include("cut.json", "line 41")
    end
    missing = File.join(@tmpdir, "missing.json")
    expect { LeakHunter.diff(missing, *good[1, 2]) }
      .to raise_error(LeakHunter::DumpUnreadable) { |error| expect(error.path).to eq(missing) }
  end

  it "refuses what cannot be compared, each case by its own class", :tmpdir do
    first, second, third = RealDumps.paths
    other = RealDumps.take(@tmpdir)
    empty = File.join(@tmpdir, "empty.json").tap { |path| File.write(path, "") }
    {
      LeakHunter::WrongOrder => [third, second, first], LeakHunter::SameDump => [first, second, second],
      LeakHunter::DifferentProcesses => [first, second, other[2]], LeakHunter::EmptyDump => [first, second, empty],
      LeakHunter::NotADump => [first, second, __FILE__], LeakHunter::DumpUnreadable => [first, second, @tmpdir]
    }.each do |error, dumps|
      expect { LeakHunter.diff(*dumps) }.to raise_error(error)
    end
  end

  it "reads files whose names are no UTF-8", :tmpdir do
    odd = RealDumps.paths.each_with_index.map do |path, index|
      File.join(@tmpdir, "d\xFFmp #{index}.json".b).tap { |copy| FileUtils.cp(path, copy) }
    end
    report = LeakHunter.diff(*odd)
    expect(report[:dumps].map { |dump| dump[:path] }).to all(be_valid_encoding)
  end

  it "names a missing file by its bytes" do
    expect { LeakHunter.diff("d\xFFmp", "b", "c") }.to raise_error(LeakHunter::DumpUnreadable) { |error|
      expect(error.path).to eq("d\xFFmp")
      expect(error.message).to include('d\xFFmp').and be_valid_encoding
    }
  end

  it "answers a regular expression it cannot run with a usage error" do
    expect { LeakHunter.diff(*RealDumps.paths, only: [/(?=look)ahead/]) }
      .to raise_error(LeakHunter::UsageError, /look/)
  end

  it "finds the objects that leaked, by class and place" do
    group = LeakHunter.diff(*RealDumps.paths, sort: :count)[:groups].find { |it| it[:class] == "Session" }
    # Class#new is inlined from 4.0 on, and no longer seen as the method.
    method = RUBY_VERSION < "4" ? "new" : "serve"
    expect(group).to include(type: "OBJECT", count: RealDumps::LEAKED, method:, gem: "app")
    expect(group[:addresses].size).to eq(5)
    expect(group[:addresses]).to all(match(/\A0x\h+\z/))
  end
end
