# frozen_string_literal: true

RSpec.describe "LeakHunter.gems(watch:)", :tmpdir do
  # A gem in its folder, as RubyGems has it.
  def make_gem(name, code)
    folder = File.join(@tmpdir, "gems", "#{name}-1.0.0", "lib")
    FileUtils.mkdir_p(folder)
    File.write(File.join(folder, "#{name}.rb"), code)
    folder
  end

  let(:program) { <<~RUBY }
    %w[called idle threaded].each { |name| require File.join(ARGV[0], "gems", "\#{name}-1.0.0", "lib", name) }
    def go = Called.new.work
    worker = Thread.new { loop { sleep(0.01); go if $go } }
    $go = true
    hits = LeakHunter::Gems::Watch.call(%w[called idle threaded], seconds: 2.0)
    puts hits.keys.sort.join(","), hits["called"].to_s.include?("-e:"), hits["threaded"]
    left = ObjectSpace.each_object(TracePoint).count(&:enabled?)
    interrupted = Thread.new { LeakHunter::Gems::Watch.call(%w[idle], seconds: 60) }
    sleep(0.05) until ObjectSpace.each_object(TracePoint).any?(&:enabled?)
    interrupted.kill.join
    puts left, ObjectSpace.each_object(TracePoint).count(&:enabled?)
  RUBY

  it "tells who calls a gem, and leaves nothing switched on" do
    make_gem("called", "class Called\n  def work = inner\n  private def inner = 1\nend\n")
    make_gem("idle", "class Idle\n  def work = 1\n  def self.build = new\nend\n")
    make_gem("threaded",
             "module Threaded\n  def self.tick = 1\n  RUN = Thread.new { loop { tick; sleep(0.01) } }\nend\n")
    expect(run_ruby(program, @tmpdir).lines(chomp: true)).to eq(["called,threaded", "true", "its own thread", "0", "0"])
  end

  it "refuses what cannot be watched" do
    expect { LeakHunter.gems("1.json", watch: 1) }.to raise_error(LeakHunter::UsageError, /only a living process/)
    expect { LeakHunter.gems(watch: 0) }.to raise_error(LeakHunter::UsageError, /watch: expected seconds/)
    expect { LeakHunter.gems(watch: "ten") }.to raise_error(LeakHunter::UsageError, /watch: expected seconds/)
    expect { LeakHunter.gems(watch: "100h") }.to raise_error(LeakHunter::UsageError, /watch: expected seconds/)
    expect { LeakHunter.gems(wotch: 1) }.to raise_error(LeakHunter::UsageError, /wotch/)
  end

  it "tells what Coverage has counted since the application had booted" do
    make_gem("called", "class Called\n  def work\n    1\n  end\nend\n")
    make_gem("idle", "class Idle\n  def work = 1\nend\n")
    output = run_ruby(<<~RUBY, @tmpdir)
      require "coverage"
      Coverage.setup(oneshot_lines: true)
      %w[called idle].each { |name| require File.join(ARGV[0], "gems", "\#{name}-1.0.0", "lib", name) }
      Coverage.resume
      Called.new.work
      hits = LeakHunter::Gems::Covered.call(%w[called idle])
      puts hits.keys.join(","), hits["called"][/called\\.rb:\\d+/]
    RUBY
    expect(output.lines(chomp: true)).to eq(%w[called called.rb:3])
    expect { LeakHunter::Gems::Covered.call([]) }.to raise_error(LeakHunter::UsageError, /Coverage is not running/)
  end
end
