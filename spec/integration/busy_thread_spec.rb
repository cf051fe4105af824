# frozen_string_literal: true

# A dump is one moment of the heap, whatever other threads do meanwhile.
RSpec.describe "A dump beside busy threads", :tmpdir do
  # Objects come, change and go, all from one line, and the dump knows that of each. What a thread makes or lets go
  # between the last collection and the snapshot is garbage in the dump.
  let(:program) { <<~'RUBY' }
    LeakHunter::Recorder.name # loads it
    LeakHunter.trace!
    busy = Queue.new
    threads = Array.new(3) do
      Thread.new do
        busy << true
        kept = []
        loop { kept[rand(1000)] = [{ rand => "text #{rand}" }, kept.sample&.first, Object.new, [rand.to_s] * 3] }
      end
    end
    threads.each { busy.pop }
    seconds = lambda do |&work|
      start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      work.call
      Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
    end
    turn = seconds.call { 5.times { Thread.pass } } / 5
    puts seconds.call { LeakHunter.dump!("#{ARGV[0]}/dump.json", fork: ARGV[1] == "fork") } / turn
    puts threads.count(&:alive?)
  RUBY

  %w[in_process fork].each do |snapshot|
    it "is a whole graph, soon (#{snapshot})" do
      turns, alive = run_ruby(program, @tmpdir, snapshot).split.map(&:to_f)
      reader = DumpReader.new(File.join(@tmpdir, "dump.json"))

      expect(alive).to eq(3)
      # In turns of the other threads, of about 0.3 seconds, and longer where the machine is busy. Five are usual.
      expect(turns).to be < 50
      expect(reader.header["snapshot"]).to eq(snapshot)
      expect(reader.dangling).to eq([])
      expect(reader.objects.size).to eq(reader.records.count { |record| !%w[ROOT SHAPE].include?(record["type"]) })
      next if snapshot == "fork" # where the threads' stacks are missing

      line = program.lines.index { |text| text.include?("kept.sample") } + 1
      others = reader.unreachable - reader.made_at("-e", line)
      expect(others.map { |object| object.values_at("type", "file", "line") }.uniq).to eq([])
    end
  end

  it "leaves the others running while it is written" do
    output = run_ruby(<<~'RUBY', @tmpdir)
      heap = Array.new(400_000) { |i| "text #{i}" }
      ticks = 0
      Thread.new { loop { sleep 0.001; ticks += 1 } }
      sleep 0.001 until ticks.positive?
      before = ticks
      start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      dump = LeakHunter.dump!(dir: ARGV[0], fork: true)
      puts ticks - before, dump.seconds, Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
    RUBY
    ticks, seconds, all = output.split.map(&:to_f)
    expect(ticks).to be > 20
    expect(seconds).to be_between(0.001, all)
  end
end
