# frozen_string_literal: true

require "timeout"
require "leak_hunter/output_file"

RSpec.describe LeakHunter::OutputFile, :tmpdir do
  let(:path) { File.join(@tmpdir, "report.txt") }

  def write(text = "new", **options) = described_class.write(path, **options) { |io| io.write(text) }
  def files = Dir.children(@tmpdir).sort
  def descriptors = Dir.children("/proc/self/fd").size

  it "writes a whole file that only its owner can read" do
    expect(write).to eq(path)
    expect([File.binread(path), File.stat(path).mode & 0o7777, files]).to eq(["new", 0o600, ["report.txt"]])
  end

  it "shows nothing under the name before all is written" do
    seen = nil
    described_class.write(path) do |io|
      io.write("half")
      io.flush
      seen = [files.size, File.exist?(path), File.basename(files.first)]
    end
    expect(seen).to match([1, false, /\A\.leak_hunter-\h{32}\.part\z/])
  end

  it "gives each temporary file another name" do
    names = Array.new(50) { described_class.create(@tmpdir) { |file| file.path.dup } }
    expect(names.uniq.size).to eq(50)
  end

  it "replaces no file unless told to" do
    File.write(path, "old")
    called = false
    expect { described_class.write(path) { called = true } }.to raise_error(Errno::EEXIST)
    expect([called, File.read(path)]).to eq([false, "old"])
    write(overwrite: true)
    expect(File.read(path)).to eq("new")
  end

  it "replaces no file made while it was writing" do
    expect { described_class.write(path) { File.write(path, "theirs") } }.to raise_error(Errno::EEXIST)
    expect([File.read(path), files]).to eq(["theirs", ["report.txt"]])
  end

  it "lets one of many writers of one name win" do
    outcomes = Array.new(20) do |number|
      Thread.new do
        write(number.to_s)
        number.to_s
      rescue Errno::EEXIST
        nil
      end
    end
    winners = outcomes.filter_map(&:value)
    expect([winners.size, files]).to eq([1, ["report.txt"]])
    expect(File.read(path)).to eq(winners.first)
  end

  it "follows no link" do
    target = File.join(@tmpdir, "target")
    [target, File.join(@tmpdir, "missing")].each do |linked|
      File.write(target, "kept")
      File.symlink(linked, path)
      expect { write }.to raise_error(Errno::EEXIST)
      write(overwrite: true)
      expect([File.symlink?(path), File.read(path), File.read(target)]).to eq([false, "new", "kept"])
      File.unlink(path)
    end
    expect(files).to eq(["target"])
  end

  it "takes a file system without hard links" do
    output = run_ruby(<<~RUBY, @tmpdir)
      require "leak_hunter/output_file"
      File.singleton_class.prepend(Module.new { def link(*) = raise(Errno::EPERM) })
      path = File.join(ARGV[0], "a")
      LeakHunter::OutputFile.write(path) { |io| io.write("new") }
      begin
        LeakHunter::OutputFile.create(ARGV[0]) { |file| file.publish(path) }
      rescue Errno::EEXIST
        print File.read(path), Dir.children(ARGV[0])
      end
    RUBY
    expect(output).to eq('new["a"]')
  end

  it "refuses a folder, and a folder that is not there" do
    [true, false].each do |overwrite|
      expect { described_class.write(@tmpdir, overwrite:) { raise "called" } }.to raise_error(SystemCallError)
    end
    expect { described_class.write("#{@tmpdir}/no/such", &:close) }.to raise_error(Errno::ENOENT)
  end

  it "writes to devices and pipes as they are" do
    expect(described_class.write("/dev/null", overwrite: true) { |io| io.write("x") }).to eq("/dev/null")
    expect(File.stat("/dev/null").chardev?).to be(true)
    File.mkfifo(path)
    reader = Thread.new { File.read(path) }
    write(overwrite: true)
    expect([reader.value, File.stat(path).pipe?]).to eq(["new", true])
  end

  it "adds to its own standard output, and leaves /dev/stdout alone" do
    code = 'LeakHunter::OutputFile.write("/dev/stdout", overwrite: true) { |io| io.write("new\n") }'
    File.write(path, "log\n")
    File.open(path, "a") do |log|
      system(RbConfig.ruby, "-w", "-I#{RubyProcess::LIB}", "-rleak_hunter/output_file", "-e", code, out: log)
    end
    expect([File.read(path), File.symlink?("/dev/stdout"), files]).to eq(["log\nnew\n", true, ["report.txt"]])
  end

  it "leaves nothing behind when the block raises, throws or breaks" do
    GC.start # closes what other examples have left open
    GC.disable
    before = descriptors
    expect { described_class.write(path) { raise IOError } }.to raise_error(IOError)
    catch(:out) { described_class.write(path) { throw :out } }
    described_class.write(path) { break }
    expect([files, descriptors]).to eq([[], before])
  ensure
    GC.enable
  end

  it "leaves nothing behind on a full disk" do
    with_tiny_disk(@tmpdir, 64) do
      expect { write("x" * 1_000_000) }.to raise_error(Errno::ENOSPC)
      expect(files).to eq([])
    end
  end

  it "hands out a file without a name" do
    seen = described_class.scratch(@tmpdir) do |io|
      io.write("text")
      io.rewind
      [io.read, files]
    end
    expect(seen).to eq(["text", []])
  end

  it "leaves a parent's file alone in a forked child" do
    described_class.create(@tmpdir) do |file|
      file.io.write("parent's")
      file.io.flush
      child = fork do
        file.discard
        exit!(file.io.closed? ? 0 : 1)
      end
      expect(Process.wait2(child)[1].exitstatus).to eq(0)
      file.publish(path)
    end
    expect([File.read(path), files]).to eq(["parent's", ["report.txt"]])
  end

  describe "what killed processes leave" do
    it "is found and removed, and what is being written is not" do
      abandoned = run_ruby(<<~RUBY, @tmpdir)
        require "leak_hunter/output_file"
        child = fork do
          LeakHunter::OutputFile.create(ARGV[0]) { Process.kill(:KILL, Process.pid) }
        end
        Process.wait(child)
        puts Dir.children(ARGV[0]).size
      RUBY
      File.write(File.join(@tmpdir, "another.part"), "")
      described_class.create(@tmpdir) do |file|
        expect(abandoned).to eq("1\n")
        expect(described_class.temporary_files(@tmpdir).size).to eq(2)
        expect(described_class.stale(@tmpdir).size).to eq(1)
        expect(described_class.remove_stale(@tmpdir).size).to eq(1)
        expect(files).to eq([File.basename(file.path), "another.part"])
      end
    end

    it "is removed while others write" do
      sweep = true
      sweeper = Thread.new { described_class.remove_stale(@tmpdir) while sweep }
      paths = Array.new(300) { |number| File.join(@tmpdir, number.to_s) }
      paths.each { |name| described_class.write(name) { |io| io.write(name) } }
      sweep = false
      sweeper.join
      expect(paths.map { |name| File.read(name) }).to eq(paths)
      expect(files.size).to eq(300)
    end
  end

  describe "interrupted at any moment" do
    let(:errors) { [Timeout::Error, IOError] }

    # Interrupts 300 writes, each after another time, and tells what is left.
    def attack(code)
      run_ruby(<<~RUBY, @tmpdir, options: %w[-rtimeout])
        require "leak_hunter/output_file"
        DIR = ARGV[0]
        class Stop < Exception; end
        Thread.report_on_exception = false
        def count = [Dir.children("/proc/self/fd").size, Thread.list.size, Dir.children(DIR).grep(/part/).size]
        def write
          LeakHunter::OutputFile.write(File.join(DIR, "x"), overwrite: true) { |io| io.write("x" * 10_000) }
        end
        write
        # threads are made once, and kept by the VM
        Thread.new { write }.join
        before = count
        #{code}
        sleep 0.01 until Thread.list.size == before[1]
        # not closed by the collector: closed
        puts count == before ? "same" : [before, count].inspect
        puts File.size(File.join(DIR, "x"))
      RUBY
    end

    {
      "Thread#raise" => "thread.raise(Stop)", "Thread#kill" => "thread.kill"
    }.each do |name, call|
      it "by #{name}" do
        output = attack(<<~RUBY)
          GC.disable
          300.times do |number|
            thread = Thread.new { loop { write } }
            sleep number / 200_000.0
            #{call}
            begin; thread.join; rescue Stop; end
          end
        RUBY
        expect(output).to eq("same\n10000\n")
      end
    end

    it "by Timeout, in the main thread" do
      expect(attack(<<~RUBY)).to eq("same\n10000\n")
        Timeout.timeout(600) { write }
        before = count
        GC.disable
        300.times { |number| begin; Timeout.timeout((number + 1) / 200_000.0) { loop { write } }; rescue Timeout::Error; end }
      RUBY
    end

    it "by what a signal handler raises" do
      expect(attack(<<~RUBY)).to eq("same\n10000\n")
        trap(:USR1) { raise Stop }
        main = Process.pid
        GC.disable
        300.times do |number|
          sender = nil
          begin
            sender = Thread.new { sleep number / 200_000.0; Process.kill(:USR1, main) }
            loop { write }
          rescue Stop
            sender&.join
          end
        end
      RUBY
    end
  end
end
