# frozen_string_literal: true

# Whatever ends a dump, nothing of it is left behind: no file, no descriptor, no thread, no child.
RSpec.describe "Dumps that are interrupted", :tmpdir do
  # Takes dumps again and again, and is interrupted in each at another moment.
  let(:program) { <<~'RUBY' }
    require "timeout"
    DIR, KIND, HOW, SEED = ARGV
    class Stop < Exception; end
    Thread.report_on_exception = false
    def take = HOW == "walk" ? LeakHunter.snapshot!(dir: DIR) : LeakHunter.dump!(dir: DIR, fork: HOW == "fork")
    def work = loop { take }
    def children = Dir.glob("/proc/[0-9]*/stat").count { |file| (File.read(file)[/\) \w (\d+)/, 1] rescue nil).to_i == Process.pid }
    def state
      collector = GC.disable
      GC.enable unless collector
      [Dir.children("/proc/self/fd").size, Thread.list.size, Dir.glob("#{DIR}/.*.part").size, children, collector]
    end
    Timeout.timeout(600) { 2.times { take } }
    start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    take
    duration = Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
    # what the collector would close is not left behind by accident
    before = state
    random = Random.new(SEED.to_i)
    trap(:USR1) { raise Stop }

    15.times do
      pause = random.rand * duration * 1.2
      case KIND
      when "raise", "kill"
        thread = Thread.new { work }
        sleep pause
        KIND == "kill" ? thread.kill : thread.raise(Stop)
        begin; thread.join; rescue Stop; end
      when "timeout"
        begin; Timeout.timeout(pause + 0.001) { work }; rescue Timeout::Error; end
      when "signal"
        sender = nil
        begin
          sender = Thread.new { sleep pause; Process.kill(:USR1, Process.pid) }
          work
        rescue Stop
          sender&.join
        end
      end
    end
    6_000.times { state == before ? break : sleep(0.01) } # the system ends threads and children in its own time
    puts state == before ? "nothing" : "#{before} #{state}"
    Dir.glob("#{DIR}/*.json*") do |file|
      puts file unless LeakHunter::Native.beginning(File.binread(file), 1 << 30).lines.last.include?("DUMP_END")
    end
    take
  RUBY

  %w[raise kill timeout signal].product(%w[in_process fork walk]).each do |kind, snapshot|
    it "leave nothing behind (#{kind}, #{snapshot})" do
      skip "only Linux lists descriptors and processes as files" unless File.directory?("/proc/self/fd")
      expect(run_ruby(program, @tmpdir, kind, snapshot, RSpec.configuration.seed.to_s)).to eq("nothing\n")
    end
  end

  it "keep neither a child nor a thread that nobody knows of, when a fork hook raises" do
    expect(run_ruby(<<~'RUBY', @tmpdir)).to eq("hook\nhook\nno child\n1\n[]\n")
      module Hook
        def _fork = super.tap { |pid| raise "hook" unless pid.zero? }
      end
      Process.singleton_class.prepend(Hook)
      2.times { LeakHunter.dump!(dir: ARGV[0], fork: true) rescue puts $!.message }
      begin
        Process.wait
      rescue Errno::ECHILD
        puts "no child"
      end
      puts Thread.list.size
      p Dir.children(ARGV[0])
    RUBY
  end

  it "run none of the application's signal handlers in a forked child" do
    expect(run_ruby(<<~'RUBY', @tmpdir)).to eq("killed by SIGTERM\n1\n")
      HANDLED, TELL = IO.pipe
      BEGUN, BEGIN_IT = IO.pipe
      trap(:TERM) { TELL.syswrite(".") }
      module Hook
        def _fork = super.tap { |pid| Thread.new { BEGUN.read(1) && Process.kill(:TERM, pid) } unless pid.zero? }
      end
      Process.singleton_class.prepend(Hook)
      # in the child, which is at work then, and goes on where the signal does not end it
      module Dumping
        def dump_all(...)
          BEGIN_IT.syswrite(".")
          sleep 60
          super
        end
      end
      ObjectSpace.singleton_class.prepend(Dumping)
      begin
        LeakHunter.dump!(dir: ARGV[0], fork: true)
      rescue LeakHunter::RecordingError => e
        puts e.message[/killed by .*/]
      end
      Process.kill(:TERM, Process.pid)
      puts HANDLED.readpartial(10).size
    RUBY
  end

  describe "by SIGKILL" do
    # A process that writes a dump until it is killed.
    def killed_process
      pid = fork do
        $stdout.reopen(File::NULL)
        $stderr.reopen(File::NULL)
        LeakHunter::Recorder::Destination.new(dir: @tmpdir).write(nil) do |io|
          io.write("every string of the process\n" * 10_000)
          io.flush
          yield if block_given?
          Process.kill(:KILL, Process.pid)
        end
      end
      Process.wait(pid)
    end

    def parts = Dir.glob("#{@tmpdir}/.*.part")

    it "leave a file that the next dump removes" do
      3.times { killed_process }
      expect(parts.size).to eq(3)
      LeakHunter.dump!(dir: @tmpdir)
      expect(parts).to eq([])
      expect(Dir.children(@tmpdir).size).to eq(1)
    end

    it "leave a file that counts for the endpoint's limit" do
      require "leak_hunter/web"
      dumps = Array.new(5) { LeakHunter.dump!(dir: @tmpdir) }
      limits = { max_dumps: 5, max_bytes: dumps.sum(&:bytes) }
      expect(LeakHunter::Web::Folder.new(@tmpdir).prune(**limits)).to eq([])
      killed_process
      expect(LeakHunter::Web::Folder.new(@tmpdir).prune(**limits).map(&:path)).to eq([dumps.first.path])
    end

    it "do not make another process's unfinished dump look abandoned" do
      reader, writer = IO.pipe
      more, tell = IO.pipe
      pid = fork do
        LeakHunter::Recorder::Destination.new(path: File.join(@tmpdir, "theirs")).write(nil) do |io|
          writer.write(".")
          io.write("a dump")
          more.read(1)
        end
        exit!(0)
      end
      reader.read(1)
      LeakHunter.dump!(dir: @tmpdir)
      expect(parts.size).to eq(1)
      tell.write(".")
      Process.wait(pid)
      expect(File.read(File.join(@tmpdir, "theirs"))).to eq("a dump")
    end
  end
end
