# frozen_string_literal: true

require "timeout"

# A fork while LeakHunter is at work: the child has the thread that waits, and not those that work.
RSpec.describe "A fork during a run" do
  let(:slow) { SlowDumps.paths }
  let(:arguments) { [*slow, *RealDumps.paths] }

  # In the child the run ends with an error at once, however it was forked; in the parent it goes on.
  setup = <<~RUBY
    SLOW, QUICK = ARGV.each_slice(3).to_a
    PARENT = Process.pid
    def child? = Process.pid != PARENT

    # Prints the child's outcome, then the parent's.
    def report
      outcome = begin
        yield
        "result"
      rescue LeakHunter::Error => e
        e.class.name
      end
      if child?
        $stdout.syswrite("child: \#{outcome}\\n")
        exit!(0)
      end
      Process.wait
      puts "parent: \#{outcome}"
    rescue Errno::ECHILD
      puts "parent: \#{outcome}"
    end

    # Sends a signal to the parent once its main thread waits in a method of the extension.
    def signal_during(method)
      Thread.new do
        waiting = lambda do
          top = Thread.main.backtrace_locations(0, 1)&.first
          Thread.main.stop? && top&.base_label == method && top.path.end_with?("leak_hunter/diff.rb", "leak_hunter/heap.rb")
        end
        Thread.pass until waiting.call
        Process.kill(:USR1, PARENT)
      end
    end

    # Forks once.
    def progress = lambda { |*| @forked ||= (child? ? nil : fork || true) }
  RUBY

  define_method(:run) do |code|
    Timeout.timeout(1_200) do
      run_ruby("#{setup}\n#{code}", *arguments, options: %w[-rtimeout])
    end
  end

  def outcome(code) = run(code).lines(chomp: true).sort

  it "in a diff's progress callback" do
    expect(outcome("report { LeakHunter.diff(*SLOW, threads: 1, progress:) }"))
      .to eq(["child: LeakHunter::ForkedError", "parent: result"])
  end

  it "in the callback of a diff with holders, and of survivors" do
    ["LeakHunter.diff(*SLOW, threads: 1, holders: true, progress:)",
     "LeakHunter::Diff.survivors(*SLOW, progress:)"].each do |call|
      expect(outcome("report { #{call} }")).to eq(["child: LeakHunter::ForkedError", "parent: result"])
    end
  end

  it "in the callback of a heap's reading" do
    expect(outcome("report { LeakHunter::Heap.load(SLOW[0], threads: 1, progress:) }"))
      .to eq(["child: LeakHunter::ForkedError", "parent: result"])
  end

  {
    "diff" => "LeakHunter.diff(*SLOW, threads: 1)",
    "load_heap" => "LeakHunter::Heap.load(SLOW[2], threads: 1)"
  }.each do |method, call|
    it "in a signal handler during #{call[/\S+?(?=\()/]}" do
      expect(outcome(<<~RUBY)).to eq(["child: LeakHunter::ForkedError", "parent: result"])
        # loaded, as in an application that has used it
        LeakHunter.diff(*QUICK)
        LeakHunter::Heap.load(QUICK[2])
        trap(:USR1) { @forked ||= fork || true }
        signal_during(#{method.dump})
        report { #{call} }
      RUBY
    end
  end

  # Each is computed when it is first asked for; with signals all along, the fork is in one of them.
  {
    "what a heap computes" => "heap.top; heap.unreachable; heap.first.referrers.to_a; heap.first.path_to_root",
    "an export" => 'heap.export(:speedscope, "/dev/null"); heap.export(:heapsnapshot, "/dev/null")'
  }.each do |name, call|
    it "in a signal handler during #{name}" do
      lines = outcome(<<~RUBY)
        heap = LeakHunter::Heap.load(QUICK[2])
        LeakHunter::Heap::Export.name
        require "leak_hunter/output_file"
        children = []
        trap(:USR1) do
          next if child? || children.size >= 20

          child = fork
          children << child if child
        end
        Thread.new { loop { sleep 0.002; Process.kill(:USR1, PARENT) } }
        outcome = begin
          10.times do
            heap = LeakHunter::Heap.load(QUICK[2])
            #{call}
          end
          "result"
        rescue LeakHunter::ForkedError => e
          e.class.name
        end
        exit!({ "result" => 0, "LeakHunter::ForkedError" => 3 }.fetch(outcome)) if child?
        trap(:USR1, "IGNORE")
        statuses = children.map { |child| Process.wait2(child)[1].exitstatus }
        puts "children: \#{(statuses - [0, 3]).inspect}", "parent: \#{outcome}"
      RUBY
      expect(lines).to eq(["children: []", "parent: result"])
    end
  end

  it "by Process.daemon in the callback: the parent is gone, the daemon gets the error" do
    output = run(<<~RUBY)
      reader, writer = IO.pipe
      child = fork do
        reader.close
        daemon = lambda { |*| @daemon ||= Process.daemon(true, true) || true }
        begin
          LeakHunter.diff(*SLOW, threads: 1, progress: daemon)
          writer.write("result")
        rescue LeakHunter::Error => e
          writer.write(e.class.name)
        end
        exit!(0)
      end
      Process.wait(child)
      writer.close
      print reader.read
    RUBY
    expect(output).to eq("LeakHunter::ForkedError")
  end

  it "in another thread, whose child then uses LeakHunter itself" do
    output = run(<<~RUBY)
      during = Thread.new { LeakHunter.diff(*SLOW, threads: 2)[:totals][:count] }
      sleep 0.05
      children = Array.new(10) do
        fork do
          LeakHunter.diff(*QUICK, holders: true)
          heap = LeakHunter::Heap.load(QUICK[2])
          heap.top
          LeakHunter::Heap.live.top
          exit!(0)
        end
      end
      print children.map { |child| Process.wait2(child)[1].exitstatus }.uniq, during.value
    RUBY
    expect(output).to eq("[0]1")
  end

  it "in a callback whose child uses LeakHunter there and then" do
    output = run(<<~RUBY)
      progress = lambda do |*|
        next if @forked
        @forked = fork do
          exit!(LeakHunter.diff(*QUICK, threads: 2)[:schema] == 1 ? 0 : 1)
        end
      end
      LeakHunter.diff(*SLOW, threads: 1, progress:)
      print Process.wait2(@forked)[1].exitstatus
    RUBY
    expect(output).to eq("0")
  end

  it "very early, when what is made once is being made" do
    output = run(<<~RUBY)
      [LeakHunter::Native, LeakHunter::Diff] # loaded, and not used yet
      children = Array.new(40) do |number|
        fork do
          thread = Thread.new { LeakHunter.diff(*QUICK, threads: 2) }
          sleep number / 10_000.0
          child = fork { exit!(Timeout.timeout(600) { LeakHunter.diff(*QUICK, threads: 2)[:schema] == 1 } ? 0 : 1) }
          thread.join
          exit!(Process.wait2(child)[1].exitstatus || 9)
        end
      end
      print children.map { |child| Process.wait2(child)[1].exitstatus }.uniq
    RUBY
    expect(output).to eq("[0]")
  end
end
