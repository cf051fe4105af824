# frozen_string_literal: true

# Each file that is loaded beside busy threads waits several times for a turn of its own.
RSpec.describe "Loading", :tmpdir do
  # A gem home as large applications have it: to load a gem's file, RubyGems may read all of it.
  def large_gem_home
    folder = File.join(@tmpdir, "gems")
    %w[specifications gems].each { |name| FileUtils.mkdir_p(File.join(folder, name)) }
    300.times do |number|
      FileUtils.mkdir_p(File.join(folder, "gems", "filler#{number}-1.0.0", "lib"))
      File.write(File.join(folder, "specifications", "filler#{number}-1.0.0.gemspec"), <<~RUBY)
        # -*- encoding: utf-8 -*-
        # stub: filler#{number} 1.0.0 ruby lib
        Gem::Specification.new { |s| s.name = "filler#{number}"; s.version = "1.0.0"; s.summary = ""; s.authors = [""] }
      RUBY
    end
    folder
  end

  # All that follows the first step, with names that have to be written in another way.
  work = <<~'RUBY'
    Thread.current[:"größe \" \\"] = Array.new(100) { Object.new }
    first = LeakHunter.dump!(dir: ARGV[0])
    second = LeakHunter.mark
    kept = Array.new(100) { "kept" * 10 }
    LeakHunter.dump!(dir: ARGV[0], fork: true)
    second = LeakHunter.dump!(dir: ARGV[0])
    third = LeakHunter::Heap.live
    result = LeakHunter.diff(first, second, third, holders: true)
    report = LeakHunter::Report.new(result)
    [report.to_s, report.to_json, report.to_h, LeakHunter.dump!(dir: ARGV[0]).inspect]
  RUBY

  it "is done with LeakHunter.trace!" do
    expect(run_ruby(<<~RUBY, @tmpdir)).to eq("")
      LeakHunter.trace!
      loaded = $LOADED_FEATURES.dup
      #{work}
      puts $LOADED_FEATURES - loaded
    RUBY
  end

  # json is a gem, of which the application may want another version.
  it "is done when LeakHunter is loaded, but for json, which reports in JSON need" do
    output = run_ruby(<<~RUBY, @tmpdir)
      loaded = $LOADED_FEATURES.dup
      #{work}
      puts $LOADED_FEATURES - loaded
    RUBY
    expect(output.lines(chomp: true).grep_v(%r{/json[/.]|/json/ext/|/ostruct\.rb\z})).to eq([])
  end

  { "a dump" => "LeakHunter.dump!(dir: ARGV[0])", "a mark" => "LeakHunter.mark",
    "a live heap" => "LeakHunter::Heap.live" }.each do |moment, step|
    it "is done before #{moment} that is the first moment" do
      expect(run_ruby(<<~RUBY, @tmpdir)).to eq("")
        loaded = $LOADED_FEATURES.dup
        first = #{step}
        puts $LOADED_FEATURES - loaded
        second = LeakHunter.mark
        LeakHunter.diff(first, second, LeakHunter::Heap.live, holders: true)
        puts $LOADED_FEATURES - loaded
      RUBY
    end

    # Code that is loaded makes Ruby forget them; filled again they would be new.
    it "leaves the application its inline caches when #{moment} is the first moment" do
      output = run_ruby(<<~'RUBY'.sub("STEP", step), @tmpdir)
        500.times { |number| Object.const_set("Called#{number}", Class.new { def self.go = 1 }) }
        eval((0...500).map { |number| "def work#{number} = Called#{number}.go" }.join("\n"))
        work = proc { 500.times { |number| send("work#{number}") } }
        3.times(&work)
        first = STEP
        work.call
        second = LeakHunter.mark
        work.call
        puts LeakHunter.diff(first, second, LeakHunter::Heap.live, holders: true)[:totals][:cache_count]
      RUBY
      expect(Integer(output)).to be < 50
    end
  end

  # Two busy threads take turns as long as LeakHunter waits: its turns are counted by theirs, but for those that they
  # have while it compares, without the interpreter. A turn is a tenth of a second at least.
  let(:turns_beside_busy_threads) { <<~'RUBY' }
    require "json"
    last = nil
    turns = 0
    2.times do |number|
      Thread.new do
        loop do
          kept = [rand.to_s, { number => Object.new }]
          next if last == number

          last = number
          turns += 1
        end
      end
    end
    sleep 0.1
    dumps = []
    seconds = 0
    { trace: -> { LeakHunter.trace! }, dump: -> { dumps << LeakHunter.dump!(dir: ARGV[0]) },
      mark: -> { LeakHunter.mark }, live: -> { LeakHunter::Heap.live },
      again: -> { dumps << LeakHunter.dump!(dir: ARGV[0]) }, third: -> { dumps << LeakHunter.dump!(dir: ARGV[0]) },
      diff: -> { seconds = LeakHunter.diff(*dumps, holders: true, timings: true)[:timings].sum { _1[:seconds] } } }
      .each do |name, step|
        before = turns
        step.call
        puts "#{name} #{(turns - before - (seconds / 0.1).floor) / 2}"
      end
    Process.exit!(0) if $stdout.flush
  RUBY

  # On a machine that is busy with other things the others have turns while a dump is written, too: not each time so
  # many.
  it "leaves a dump few turns to wait for beside busy threads" do
    env = { "GEM_PATH" => large_gem_home }
    count = lambda do
      output = run_ruby(turns_beside_busy_threads, @tmpdir, env:)
      output.lines.to_h { |line| line.split.then { |name, number| [name.to_sym, number.to_i] } }
    end
    few = ->(turns) { turns.values.all? { |it| it < 40 } }
    counts = [count.call]
    counts << count.call until counts.any?(&few) || counts.size == 5
    expect(counts.map(&:keys).uniq).to eq([%i[trace dump mark live again third diff]])
    expect(counts).to include(satisfy(&few))
  end
end
