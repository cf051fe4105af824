# frozen_string_literal: true

require "etc"
require "leak_hunter/process_identity"
require "pathname"

RSpec.describe LeakHunter::Recorder, :tmpdir do
  def dump!(...) = LeakHunter.dump!(...)
  def files = Dir.children(@tmpdir).sort

  # Takes dumps in a process of its own, into the folder that the code knows as DIR.
  #
  # @return [Array<DumpReader>] in the order in which they were taken
  def dumps_of(code, **options)
    run_ruby("DIR = ARGV.fetch(0)\n#{code}", @tmpdir, **options)
    files.map { |name| DumpReader.new(File.join(@tmpdir, name)) }
  end

  describe "the file" do
    it "starts and ends with lines that say what it is" do
      before = Time.now.utc.floor(6)
      dump = dump!(dir: @tmpdir)
      reader = DumpReader.new(dump)

      expect(reader.header.to_a).to match(
        { "type" => "DUMP", "leak_hunter" => LeakHunter::VERSION, "schema" => 1, "id" => dump.id,
          "boot" => LeakHunter::ProcessIdentity.boot, "pid" => Process.pid, "host" => Etc.uname[:nodename],
          "sequence" => dump.sequence, "taken_at" => dump.taken_at.strftime("%FT%T.%6NZ"), "ruby" => RUBY_VERSION,
          "platform" => RUBY_PLATFORM, "generation" => dump.generation, "compactions" => GC.stat[:compact_count] || 0,
          "memory" => be_a(Hash), "tracing_since" => LeakHunter::Tracing.since[:generation],
          "tracer" => "exact", "snapshot" => "in_process", "own_path" => "#{RealDumps::LIB}/leak_hunter",
          "values" => "none" }.to_a
      )
      expect(reader.lines.first).to start_with(%({"type":"DUMP", "leak_hunter":"#{LeakHunter::VERSION}", "schema":1, ))
      expect(reader.lines.last)
        .to match(/\A{"type":"DUMP_END", "id":"#{dump.id}", "names":#{reader.names.size}, "names_complete":\w+}\n\z/)
      expect(dump.id).to match(/\A\h{32}\z/)
      expect(dump.taken_at).to be_between(before, Time.now)
    end

    it "holds what ObjectSpace wrote, untouched" do
      lines = dumps_of("LeakHunter.dump!(dir: DIR)").first.lines[1..-2].grep_v(/\A{"type":"NAME", "kind":"/)
      expect(lines).to all(start_with('{"address":"0x').or(start_with('{"type":"ROOT", "root":"')))
      expect(lines.size).to be > 10_000
    end

    it "belongs to its owner alone, and so does a folder made for it" do
      dump = dump!(dir: File.join(@tmpdir, "new"))
      expect(File.stat(dump).mode & 0o777).to eq(0o600)
      expect(File.stat(File.dirname(dump)).mode & 0o777).to eq(0o700)
      expect(files).to eq(["new"])
    end
  end

  describe "the result" do
    it "describes the dump" do
      before = GC.count
      start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      dump = dump!(dir: @tmpdir)
      elapsed = Process.clock_gettime(Process::CLOCK_MONOTONIC) - start

      expect(dump).to be_frozen.and have_attributes(
        path: File.join(@tmpdir, files.first), bytes: File.size(dump), pid: Process.pid, snapshot: "in_process",
        generation: be > before, seconds: be_between(0.001, elapsed), warnings: [],
        tracing_since: be_between(Time.now - elapsed - 1, Time.now),
        tracing_generation: be_between(before, dump.generation)
      )
      expect(dump.objects).to be_within(5).percent_of(DumpReader.new(dump).objects.size)
    end

    it "goes where a path goes" do
      dump = dump!(dir: @tmpdir)
      expect(File.open(dump) { |io| io.read(4) }.b).to eq("\x28\xb5\x2f\xfd".b)
      expect(FileUtils.compare_file(dump, String(dump))).to be(true)
    end
  end

  describe "what it records" do
    it "is what is alive, with the place and the time of birth" do
      _, reader = dumps_of(<<~'RUBY')
        LeakHunter.dump!(dir: DIR)
        $kept = Array.new(100) { Object.new }
        Array.new(1000) { Object.new }
        LeakHunter.dump!(dir: DIR)
      RUBY
      expect(reader.made_at("-e", 3).count { |object| object["type"] == "OBJECT" }).to eq(100)
      expect(reader.made_at("-e", 4).count { |object| object["type"] == "OBJECT" }).to eq(0)
      first, second = files.map { |name| DumpReader.new(File.join(@tmpdir, name)).header["generation"] }
      expect(reader.made_at("-e", 3).map { |object| object["generation"] }).to all(be > first).and all(be < second)
    end

    it "leaves nothing unreachable, not even what the finalizers of dead objects held" do
      reader, = dumps_of(<<~'RUBY')
        500.times { |i| held = "held #{i}"; ObjectSpace.define_finalizer(Object.new, proc { held }) }
        LeakHunter.dump!(dir: DIR)
      RUBY
      expect(reader.dangling).to eq([])
      expect(reader.unreachable).to eq([])
    end

    it "collects garbage once where nothing with a finalizer has died" do
      output = run_ruby(<<~'RUBY', @tmpdir)
        3.times do |round|
          File.read("/proc/self/status") # files are freed late, but hold nothing
          before = GC.stat(:major_gc_count)
          LeakHunter.snapshot!(dir: ARGV[0])
          p GC.stat(:major_gc_count) - before if round > 0
        end
      RUBY
      expect(output).to eq("1\n1\n")
    end

    it "collects garbage three times at most, however many finalizers wait" do
      output = run_ruby(<<~'RUBY', @tmpdir)
        def dying = ObjectSpace.define_finalizer(Object.new, proc { dying })
        %i[snapshot! dump!].each do |kind|
          100.times { dying }
          before = GC.stat(:major_gc_count)
          LeakHunter.public_send(kind, dir: ARGV[0])
          p (1..3).cover?(GC.stat(:major_gc_count) - before)
        end
        $stdout.flush
        exit!(0) # or they go on
      RUBY
      expect(output).to eq("true\ntrue\n")
    end

    it "has free slots too, if asked" do
      without, with = dumps_of("LeakHunter.dump!(dir: DIR); LeakHunter.dump!(dir: DIR, full: 1)")
      expect(without.records.count { |record| record["type"] == "NONE" }).to eq(0)
      expect(with.records.count { |record| record["type"] == "NONE" }).to be > 100
    end

    it "is all there is, garbage too, if asked" do
      reader, = dumps_of(<<~'RUBY')
        LeakHunter.trace!
        GC.disable
        generation = GC.count
        Array.new(1000) { Object.new }
        dump = LeakHunter.dump!(dir: DIR, gc: false)
        raise unless [dump.generation, GC.count] == [generation, generation]
      RUBY
      expect(reader.made_at("-e", 5).size).to be >= 1000
    end

    it "has no text of an earlier dump in it" do
      readers = dumps_of("4.times { LeakHunter.dump!(dir: DIR) }")
      sizes = readers.map { |reader| reader.lines.sum(&:bytesize) }
      # the first has loaded what dumps need
      expect(sizes.drop(1)).to all(be_within(5).percent_of(sizes[1]))
      expect(readers.last.lines.map(&:bytesize).max).to be < sizes.first / 4
    end

    it "has of LeakHunter no more than a few objects, made in its own files" do
      first, second, third = dumps_of("dumps = Array.new(3) { LeakHunter.dump!(dir: DIR) }")
      between = (first.header["generation"] + 1)...second.header["generation"]
      survivors = third.objects.values.select { |object| between.cover?(object["generation"]) }
      expect(survivors.map { |object| object["file"] }.uniq).to all(eq("-e").or(include("/lib/leak_hunter")))
      expect(survivors.count { |object| object["type"] != "IMEMO" }).to be < 10
    end

    it "has of the stamp nothing but what the stamp still refers to" do
      readers = dumps_of("LeakHunter.trace!; 3.times { LeakHunter.dump!(dir: DIR) }")
      readers.drop(1).each do |reader|
        own = /(envelope|memory|timestamp|json_text|process_identity)\.rb\z/
        first = readers.first.header["generation"]
        stamp = reader.objects.values.select do |object|
          object["file"]&.match?(own) && object["type"] != "IMEMO" && object["generation"] > first
        end
        classes = reader.objects.values.select { |object| object["name"] == "LeakHunter::Recorder::Envelope" }
        kept = reader.objects.values.select { |object| classes.any? { |type| type["address"] == object["class"] } }
        kept += reader.named("@last").select { |object| object["type"] == "OBJECT" }
        # a String may lie in another's memory
        2.times { kept += kept.flat_map { |object| reader.objects.values_at(*object.fetch("references", [])).compact } }
        expect(stamp - kept).to eq([])
      end
    end

    it "is of an earlier generation than what is made afterwards" do
      dump = dump!(dir: @tmpdir)
      expect(LeakHunter::Tracing.allocation(Object.new)[:generation]).to be > dump.generation
      newest = DumpReader.new(dump).objects.values.filter_map { |record| record["generation"] }.max
      expect(newest).to be <= dump.generation
    end

    it "leaves the collector as it was" do
      expect(GC.enable).to be(false)
      dump!(dir: @tmpdir)
      expect(GC.disable).to be(false)
      dump!(dir: @tmpdir)
      expect(GC.enable).to be(true)
    end
  end

  describe "tracing" do
    it "is started, and goes on" do
      expect { dump!(dir: @tmpdir) }.to change(LeakHunter, :tracing?).from(false).to(true)
      expect(dump!(dir: @tmpdir).tracing_since).to eq(LeakHunter::Tracing.since[:time])
    end

    it "stays off, if asked" do
      dump = dump!(dir: @tmpdir, trace: false)
      expect(LeakHunter).not_to be_tracing
      expect(dump).to have_attributes(tracing_since: nil, tracing_generation: nil)
      expect(DumpReader.new(dump).header.fetch("tracing_since")).to be_nil
    end

    it "is started anew when another tool has stopped it" do
      LeakHunter.trace!(mode: :objspace)
      since = dump!(dir: @tmpdir).tracing_generation
      ObjectSpace.trace_object_allocations_stop
      expect(dump!(dir: @tmpdir).tracing_generation).to be > since
    end

    # A place that nothing but dead objects had must not be in the dump.
    [true, false].product(["LeakHunter.untrace!", "ObjectSpace.trace_object_allocations_stop"]).each do |trace, stop|
      it "never shows where dead objects were made for living ones, after #{stop}, with trace: #{trace}" do
        reader, = dumps_of(<<~RUBY)
          LeakHunter.trace!(mode: :objspace)
          Array.new(50_000) { Object.new }
          #{stop}
          GC.start
          $living = Array.new(50_000) { Object.new }
          dump = LeakHunter.dump!(dir: DIR, trace: #{trace})
        RUBY
        expect(reader.objects.size).to be > 50_000
        expect(reader.made_at("-e", 3)).to eq([])
        expect(reader.made_at("-e", 6)).to eq([])
      end
    end
  end

  describe "where it goes" do
    it "has names that sort by time" do
      dumps = Array.new(12) { dump!(dir: @tmpdir) }
      expect(files).to eq(dumps.map { |dump| File.basename(dump) })
      expect(files).to all(match(/\A\d{8}T\d{6}\.\d{6}Z-[\w.-]+-pid#{Process.pid}-\d{4,}\.json\.zst\z/))
      expect(dumps.each_cons(2).map { |one, two| two.sequence - one.sequence }).to all(eq(1))
    end

    it "is the configured folder by default" do
      LeakHunter.configuration.dir = File.join(@tmpdir, "deep", "down")
      expect(dump!.path).to start_with(File.join(@tmpdir, "deep", "down", "2"))
    ensure
      LeakHunter.configuration.dir = nil
    end

    it "is a path, given as one likes" do
      expect(dump!(File.join(@tmpdir, "new", "1.json")).path).to eq(File.join(@tmpdir, "new", "1.json"))
      expect(dump!(path: Pathname(@tmpdir).join("2.json")).path).to eq(File.join(@tmpdir, "2.json"))
      Dir.chdir(@tmpdir) { expect(dump!("3.json").path).to eq(File.join(File.realpath(@tmpdir), "3.json")) }
      expect(files).to eq(%w[2.json 3.json new])
    end

    it "is given once, and can be a path" do
      expect { dump!("a", path: "b") }.to raise_error(LeakHunter::UsageError)
      expect { dump!("a", dir: "b") }.to raise_error(LeakHunter::UsageError)
      expect { dump!(5) }.to raise_error(LeakHunter::UsageError, /5/)
      expect { dump!("a\0b") }.to raise_error(LeakHunter::UsageError, /null byte/)
    end
  end

  it "says that its folder was deleted meanwhile, and leaves nothing" do
    run_ruby(<<~'RUBY', @tmpdir)
      dir = "#{ARGV[0]}/dumps"
      before = Dir.children("/proc/self/fd").size if File.directory?("/proc/self/fd")
      LeakHunter::Recorder::Envelope.prepend(Module.new do
        define_method(:file_name) do
          Dir.glob("#{dir}/.*.part") { |path| File.unlink(path) }
          Dir.rmdir(dir)
          super()
        end
      end)
      [false, true].each do |fork|
        LeakHunter.dump!(dir: dir, fork: fork)
        raise "no error"
      rescue LeakHunter::RecordingError
        raise unless Dir.empty?(ARGV[0])
        raise if before && Dir.children("/proc/self/fd").size > before
      end
    RUBY
  end

  it "says that a folder cannot be made" do
    skip "there is no /proc here" unless File.directory?("/proc/self")
    expect { Timeout.timeout(600) { described_class.dump!(dir: "/proc/self/leak_hunter/dumps") } }
      .to raise_error(LeakHunter::RecordingError, %r{/proc/self/leak_hunter})
  end

  it "refuses a second dump while one is taken, and takes one afterwards" do
    run_ruby(<<~'RUBY', @tmpdir)
      heap = Array.new(200_000) { |i| "text #{i}" }
      answers = Array.new(4) do |i|
        Thread.new do
          LeakHunter.dump!(path: "#{ARGV[0]}/#{i}")
        rescue LeakHunter::DumpInProgress => e
          e
        end
      end.map(&:value)
      dumps, errors = answers.partition { |answer| answer.is_a?(LeakHunter::Dump) }
      raise answers.inspect if dumps.empty? || errors.empty?
      raise errors.inspect unless errors.map(&:message).uniq == ["another thread of this process is taking a dump"]
      raise Dir.children(ARGV[0]).inspect unless Dir.children(ARGV[0]).size == dumps.size

      LeakHunter.dump!(path: "#{ARGV[0]}/later")
    RUBY
    expect(files).to include("later")
  end

  it "works without gems, and without the extension" do
    output = run_ruby(<<~'RUBY', @tmpdir, options: ["--disable-gems"], lib: lib_without_extension(@tmpdir))
      plain = { values: :all, compress: :none }
      dumps = [LeakHunter.dump!("#{ARGV[0]}/1", **plain), LeakHunter.dump!("#{ARGV[0]}/2", fork: true, **plain)]
      [{}, { values: :all }, { compress: :none }].each do |options|
        LeakHunter.dump!("#{ARGV[0]}/3", **options)
        raise
      rescue LeakHunter::Unsupported => e
        raise unless e.message.include?("values: :all, compress: :none")
      end
      raise if defined?(Gem) || $LOADED_FEATURES.grep(/leak_hunter\.(so|bundle)/).any?
      puts dumps.map { |dump| dump.warnings.include?(LeakHunter::Recorder::Recording::DISK) }
    RUBY
    expect(output).to eq("true\ntrue\n")
    expect(files.grep(/\A\d\z/)).to eq(%w[1 2])
    readers = %w[1 2].map { |name| DumpReader.new(File.join(@tmpdir, name)) }
    expect(readers.map { |reader| reader.trailer["type"] }).to all(eq("DUMP_END"))
    expect(readers.map { |reader| reader.header["memory"] })
      .to all(include("rss" => nil, "shared" => nil, "live_slots" => be > 1000))
  end

  it "tells that it cannot be called in a signal handler, and how it can" do
    expect(run_ruby(<<~'RUBY', @tmpdir)).to match(/signal handler.*Thread\.new.*\ntrue/)
      LeakHunter::Recorder.name # loads it, which Ruby does not do in a signal handler either
      said = nil
      trap("USR1") { begin; LeakHunter.dump!(dir: ARGV[0]); rescue LeakHunter::RecordingError; said = $!.message; end }
      Process.kill("USR1", Process.pid)
      sleep 0.001 until said
      puts said
      queue = Queue.new
      trap("USR1") { Thread.new { queue << LeakHunter.dump!(dir: ARGV[0]) } }
      Process.kill("USR1", Process.pid)
      puts File.exist?(queue.pop)
    RUBY
    expect(files.size).to eq(1)
  end
end
