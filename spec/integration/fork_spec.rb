# frozen_string_literal: true

RSpec.describe "Dumps and forks", :tmpdir do
  def files = Dir.children(@tmpdir)

  # Runs code as Ruby's fork does in the parent, with the child's pid, and in the child.
  def on_fork(parent: "", child: "")
    <<~RUBY
      require "leak_hunter"
      LeakHunter::Recorder.name # loads it
      module OnFork
        def _fork
          super.tap { |pid| pid.zero? ? begin; #{child}; end : begin; #{parent}; end }
        end
      end
      Process.singleton_class.prepend(OnFork)
      DIR = ARGV.fetch(0)
      def try
        yield
      rescue LeakHunter::Error => e
        puts "\#{e.class}: \#{e.message}"
      end
      # Nothing is left behind: no child, no open pipe.
      def clean?
        Process.wait
      rescue Errno::ECHILD
        GC.start
        ObjectSpace.each_object(IO).all? { |io| io.closed? || io.fileno <= 2 }
      end
    RUBY
  end

  it "takes the parent's dump in a child" do
    pid, warnings, generation = run_ruby(<<~'RUBY', @tmpdir).lines(chomp: true)
      LeakHunter.trace!
      dump = LeakHunter.dump!("#{ARGV[0]}/dump.json", fork: true)
      raise unless dump.snapshot == "fork" && dump.pid == Process.pid && dump.bytes == File.size(dump)
      puts Process.pid, dump.warnings.join, dump.generation
    RUBY
    reader = DumpReader.new(File.join(@tmpdir, "dump.json"))

    expect(reader.header).to include("snapshot" => "fork", "pid" => pid.to_i, "generation" => generation.to_i)
    expect(reader.trailer).to include("type" => "DUMP_END", "id" => reader.header["id"])
    expect(reader.trailer["names"]).to eq(reader.names.size).and be > 100
    expect(warnings).to match(/stacks of other threads/)
    expect(File.stat(File.join(@tmpdir, "dump.json")).mode & 0o777).to eq(0o600)
    expect(reader.dangling).to eq([])
    # What it takes to fork comes after the last collection, and the recorder's own thread is not in the child. For that
    # thread the VM notes down, in no file, where it was started.
    files = reader.unreachable.map { |object| object.fetch("file", "/lib/leak_hunter/") }
    expect(files).to all(include("/lib/leak_hunter/"))
  end

  it "compares with dumps taken in the process itself" do
    run_ruby(<<~'RUBY', @tmpdir)
      LeakHunter.dump!(ARGV[0] + "/1", fork: true)
      $kept = Array.new(100) { Object.new }
      LeakHunter.dump!(ARGV[0] + "/2")
      LeakHunter.dump!(ARGV[0] + "/3", fork: true)
    RUBY
    first, second, third = %w[1 2 3].map { |name| DumpReader.new(File.join(@tmpdir, name)) }
    survivors = third.made_at("-e", 2).select { |object| object["type"] == "OBJECT" }
    expect(survivors.size).to eq(100)
    expect(survivors.map { |object| object["generation"] })
      .to all(be > first.header["generation"]).and all(be < second.header["generation"])
    expect(survivors.map { |object| object["address"] } - second.objects.keys).to eq([])
  end

  it "neither runs exit handlers nor flushes the parent's buffers in the child" do
    expect(run_ruby(<<~'RUBY', @tmpdir)).to eq("buffered handler")
      at_exit { print "handler" }
      print "buffered "
      LeakHunter.dump!(dir: ARGV[0], fork: true)
    RUBY
  end

  it "reports a child that is killed" do
    expect(run_ruby("#{on_fork(parent: "Process.kill(:KILL, pid)")}\n#{<<~'RUBY'}", @tmpdir))
      try { LeakHunter.dump!(dir: DIR, fork: true) }
      puts clean?
    RUBY
      .to eq("LeakHunter::RecordingError: the child that took the dump ended before its time: killed by SIGKILL\n" \
             "true\n")
    expect(files).to eq([])
  end

  it "keeps a child whose fork hook fails out of the application" do
    expect(run_ruby("#{on_fork(child: "raise 'hook'")}\n#{<<~'RUBY'}", @tmpdir))
      try { LeakHunter.dump!(dir: DIR, fork: true) }
      puts clean?
    RUBY
      .to eq("LeakHunter::RecordingError: the child that took the dump ended before its time: status 1\ntrue\n")
    expect(files).to eq([])
  end

  it "kills the child when waiting for it is stopped" do
    expect(run_ruby("#{on_fork(parent: "Process.kill(:STOP, pid)")}\n#{<<~'RUBY'}", @tmpdir)).to eq("late\ntrue\n")
      require "timeout"
      begin
        Timeout.timeout(0.5) { LeakHunter.dump!(dir: DIR, fork: true) }
      rescue Timeout::Error
        puts "late"
      end
      puts clean?
    RUBY
    expect(files).to eq([])
  end

  it "kills the child when its thread is killed" do
    stop = on_fork(parent: "Process.kill(:STOP, pid); Thread.current[:child] = pid")
    expect(run_ruby("#{stop}\n#{<<~'RUBY'}", @tmpdir)).to eq("true\nfree\n")
      thread = Thread.new { LeakHunter.dump!(dir: DIR, fork: true) }
      sleep 0.01 until thread[:child]
      sleep 0.05
      thread.kill.join
      puts clean?
      LeakHunter::Recorder.instance_variable_get(:@lock).synchronize { puts "free" }
    RUBY
    expect(files).to eq([])
  end

  it "does without the child's status where another was faster to reap it" do
    expect(run_ruby("#{on_fork(parent: "Process.wait(pid)")}\n#{<<~'RUBY'}", @tmpdir)).to eq("true\n")
      LeakHunter.dump!(dir: DIR, fork: true)
      puts clean?
    RUBY
    expect(files.size).to eq(1)
  end

  it "says that the platform cannot fork" do
    expect(run_ruby(<<~'RUBY', @tmpdir)).to match(/\ALeakHunter::RecordingError: .*cannot fork/)
      Process.singleton_class.undef_method(:fork)
      begin
        LeakHunter.dump!(dir: ARGV[0], fork: true)
      rescue LeakHunter::Error => e
        puts "#{e.class}: #{e.message}"
      end
    RUBY
    expect(files).to eq([])
  end

  it "lets a child take dumps that was forked while the parent took one" do
    output = run_ruby("#{on_fork(parent: "Process.kill(:STOP, pid) if Thread.current[:dumps]")}\n#{<<~'RUBY'}", @tmpdir)
      thread = Thread.new do
        Thread.current[:dumps] = true
        LeakHunter.dump!(dir: DIR, fork: true)
      end
      lock = LeakHunter::Recorder.instance_variable_get(:@lock)
      sleep 0.01 until lock.locked? && Dir.children(DIR).any?
      child = fork { File.write("#{DIR}/child", LeakHunter.dump!(dir: "#{DIR}/dumps").sequence) }
      puts Process.wait2(child).last.success?
      thread.kill.join
    RUBY
    expect(output).to eq("true\n")
    expect(File.read(File.join(@tmpdir, "child"))).to eq("1")
    expect(Dir.children(File.join(@tmpdir, "dumps")).size).to eq(1)
  end

  it "ends with an error in a child that a signal handler forks meanwhile, whatever threads the child starts" do
    output = run_ruby(<<~'RUBY', @tmpdir)
      require "leak_hunter"
      parent = Process.pid
      LeakHunter.dump!(ARGV[0] + "/first.json")
      trap(:USR1) do
        @forked ||= fork || true
        Thread.new { sleep } unless Process.pid == parent
      end
      started = lambda { Thread.main.backtrace&.any? { |line| line.include?("/own_thread.rb:") } }
      Thread.new { Thread.pass until started.call; Process.kill(:USR1, parent) }
      outcome = begin
        LeakHunter.dump!(ARGV[0] + "/second.json").class
      rescue Exception => e
        e.class
      end
      $stdout.syswrite("#{Process.pid == parent ? "parent" : "child"}: #{outcome}\n")
      exit!(0) unless Process.pid == parent
      Process.wait
    RUBY

    expect(output.lines(chomp: true).sort).to eq(["child: LeakHunter::ForkedError", "parent: LeakHunter::Dump"])
    expect(files).to contain_exactly("first.json", "second.json")
  end

  it "leaves garbage collection on in children that other threads fork meanwhile" do
    output = run_ruby(<<~'RUBY', @tmpdir)
      require "leak_hunter"
      KEPT = Array.new(200_000) { |number| "text #{number}" }
      LeakHunter.dump!(ARGV[0] + "/0.json")
      children = []
      ended = false
      forking = Thread.new do
        until ended
          children << fork { exit!(GC.enable ? 1 : 0) } # true: it was off
          sleep 0.002
        end
      end
      3.times do |number|
        LeakHunter.dump!(ARGV[0] + "/in-#{number}.json")
        LeakHunter.dump!(ARGV[0] + "/forked-#{number}.json", fork: true)
        LeakHunter::Heap.live
      end
      ended = true
      forking.join
      print children.map { |child| Process.wait2(child)[1].exitstatus }.uniq, GC.enable
    RUBY

    expect(output).to eq("[0]false")
  end
end
