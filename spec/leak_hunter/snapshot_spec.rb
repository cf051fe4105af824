# frozen_string_literal: true

require "json"
require "open3"

RSpec.describe LeakHunter, ".snapshot!", :tmpdir do
  let(:folder) { "#{@tmpdir}/dumps" }
  let(:files) { Dir.glob("#{folder}/*") }

  def lines(path) = DumpReader.text(path).b.lines

  it "writes a file that says what it is, whole and for its owner alone" do
    snapshot = LeakHunter.snapshot!(dir: folder)
    expect(snapshot).to have_attributes(path: files.first, bytes: File.size(files.first), snapshot: "walk",
                                        warnings: [], pid: Process.pid, generation: Integer, tracing_since: Time)
    expect(File.stat(snapshot).mode & 0o777).to eq(0o600)
    first, *, last = lines(snapshot).map { |line| JSON.parse(line) }
    expect(first).to include("type" => "DUMP", "snapshot" => "walk", "id" => snapshot.id, "ruby" => RUBY_VERSION)
    expect(first["memory"]["rss"]).to be_an(Integer)
    # how many names depends on the time for them
    expect(last).to include("type" => "DUMP_END", "id" => snapshot.id, "names" => be > 100)
    heap = LeakHunter::Heap.load(snapshot)
    expect(heap.recorded).to include(snapshot: "walk", id: snapshot.id)
    expect(heap.size).to be_within(1000).of(snapshot.objects)
    expect(heap.dangling).to eq(0)
  end

  it "takes a path, and writes over no file" do
    path = "#{@tmpdir}/mine.json"
    expect(LeakHunter.snapshot!(path, gc: false, names: false).path).to eq(path)
    expect { LeakHunter.snapshot!(path) }.to raise_error(LeakHunter::RecordingError, /already exists/)
    expect { LeakHunter.snapshot!(path, dir: folder) }.to raise_error(LeakHunter::UsageError)
    expect { LeakHunter.snapshot!(full: true) }.to raise_error(LeakHunter::UsageError, /full/)
    expect { LeakHunter.snapshot!(threads: 0) }.to raise_error(LeakHunter::UsageError, /threads/)
    expect(Dir.children(@tmpdir)).to eq(["mine.json"])
  end

  it "is compressed as a dump is, unless the name of the file or an option says otherwise" do
    { {} => [".json.zst", "\x28\xB5\x2F\xFD"], { compress: :gzip } => [".json.gz", "\x1F\x8B"],
      { compress: :none } => [".json", '{"type":"DUMP"'] }.each do |options, (ending, start)|
      path = LeakHunter.snapshot!(dir: folder, **options).path
      expect(path).to end_with(ending)
      expect(File.binread(path, start.bytesize)).to eq(start.b)
      expect(lines(path).last).to start_with('{"type":"DUMP_END"')
      expect(LeakHunter::Heap.load(path).dangling).to eq(0)
    end
    expect(File.binread(LeakHunter.snapshot!("#{@tmpdir}/named.json.gz"), 2)).to eq("\x1F\x8B".b)
    expect { LeakHunter.snapshot!(compress: :lzma) }.to raise_error(LeakHunter::UsageError, /compress/)
  end

  it "leaves no file on a disk that is full before it is whole" do
    with_tiny_disk(@tmpdir, 1024) do
      expect(run_ruby(<<~'RUBY', @tmpdir)).to eq("NotEnoughDisk [] false\n")
        LeakHunter::Native.singleton_class.undef_method(:disk_space) # nobody tells beforehand
        begin
          LeakHunter.snapshot!(dir: ARGV[0], compress: :none)
        rescue LeakHunter::NotEnoughDisk => e
          print e.class.name.split("::").last, " ", Dir.children(ARGV[0]), " "
        end
        puts GC.disable
      RUBY
      expect { LeakHunter.snapshot!(dir: @tmpdir) }.to raise_error(LeakHunter::NotEnoughDisk, /needs about/)
    end
  end

  it "is not taken beside another, or a dump" do
    lock = LeakHunter::Recorder.instance_variable_get(:@lock)
    lock.synchronize { expect { LeakHunter.snapshot!(dir: folder) }.to raise_error(LeakHunter::DumpInProgress) }
    expect(File.exist?(folder)).to be(false)
  end

  it "says what to do where the heap cannot be walked" do
    program = <<~'RUBY'
      begin
        LeakHunter.snapshot!(dir: ARGV[0])
      rescue LeakHunter::Unsupported => e
        puts e.message[/LeakHunter\.dump!.*/]
      end
      begin
        LeakHunter::Recorder::Moment.take(dir: ARGV[0], names: false)
      rescue LeakHunter::Unsupported => e
        puts e.message[/only values: :all, compress: :none/]
      end
      plain = { values: :all, compress: :none }
      puts LeakHunter::Recorder::Moment.take(dir: ARGV[0], names: false, **plain).snapshot
      puts Dir.children(ARGV[0]).size
    RUBY
    expected = "LeakHunter.dump! needs no walk, but a longer pause (and without the extension values: :all, " \
               "compress: :none, which makes the file a secret)\nonly values: :all, compress: :none\nin_process\n1\n"
    expect(run_ruby(program, folder, lib: lib_without_extension(@tmpdir))).to eq(expected)
  end

  it "is not written beside Ractors that Ruby does not stop" do
    skip "this Ruby stops them" if RUBY_VERSION.to_f >= 4.0
    program = <<~'RUBY'
      Ractor.new { sleep }
      begin
        LeakHunter.snapshot!(dir: ARGV[0])
      rescue LeakHunter::Unsupported => e
        print e.message[/other Ractors are running/], "; "
      end
      print Dir.exist?(ARGV[0]) ? Dir.children(ARGV[0]) : [], " "
      puts LeakHunter::Recorder::Moment.take(dir: ARGV[0], trace: false).snapshot
      $stdout.flush
      exit!(0)
    RUBY
    expected = "other Ractors are running; [] in_process\n"
    expect(run_ruby(program, folder, options: ["-W:no-experimental"])).to eq(expected)
  end

  # Something recognizable in each kind of data.
  let(:secrets) { <<~'RUBY' }
    ENV["CANARY_ENV"] = "CANARY in the environment"
    class Account
      def initialize = @value = "CANARY value".dup
    end
    Row = Struct.new(:text)
    module App
      KEPT = []
      LITERAL = "CANARY literal"
      FROZEN = "CANARY frozen".freeze
      LONG = "CANARY long " * 100
      SHARED = LONG[5..]
      SYMBOL = "CANARY symbol".to_sym
      KEYS = { "CANARY key" => "CANARY of a key", "CANARY dynamic".to_sym => 1 }
      ERROR = RuntimeError.new("CANARY message")
      REGEXP = /CANARY regexp #{Process.pid}/
      ROW = Row.new("CANARY member")
      FLOAT = 4.242424242e-300
      BINARY = "CANARY binary".b
      NAMED = Thread.new { Thread.stop }
      NAMED.name = "CANARY thread"
      NAMED["CANARY local"] = []
      NAMED.thread_variable_set("CANARY variable", [])
      Fiber[:CANARY_storage] = [] if Fiber.respond_to?(:[])
    end
    def work = 100.times { App::KEPT << Account.new << { "CANARY #{App::KEPT.size}" => "CANARY" } }
    3.times do
      LeakHunter.snapshot!(dir: ARGV[0])
      work
    end
  RUBY

  it "has none of the process's data, nor has a report of it" do
    run_ruby(secrets, folder)
    files.each { |file| expect(lines(file).grep(/CANARY(?!_ENV"\])|4\.242424242/n)).to eq([]) }
    reports = %w[text json html markdown classic].map do |format|
      program = File.expand_path("../../exe/leak_hunter", __dir__)
      command = [RbConfig.ruby, "-I#{RealDumps::LIB}", program, "diff", "--format", format]
      output, status = Open3.capture2e(*command, *files)
      expect(status.exitstatus).to be <= 1
      output
    end
    expect(reports[0]).to include("App::KEPT", "Account")
    expect(reports.grep(/CANARY/)).to eq([])
  end

  it "is read by the script that is copied from post to post, and by any reader of JSON" do
    run_ruby(<<~'RUBY', folder)
      KEPT = []
      3.times do
        LeakHunter.snapshot!(dir: ARGV[0], compress: :none)
        250.times { KEPT << "text #{KEPT.size} of more than a slot" }
      end
    RUBY
    files.each { |file| File.foreach(file) { |line| JSON.parse(line) } }
    output, status = Open3.capture2e(RbConfig.ruby, File.expand_path("../../bench/classic.rb", __dir__), *files)
    expect(status).to be_success
    expect(output).to match(%r{^Retained 2[45]\d STRING objects of size \d+/\d+ at: -e:4$})
  end

  # At each moment both, so that each diff is of the same run.
  let(:both) { <<~'RUBY' }
    LeakHunter.trace!
    class Order
      def initialize(number) = @lines = Array.new(3) { |line| "line #{line} of #{number}" }
    end
    module Shop
      TRAIL = []
      @cache = {}
      class << self
        attr_reader :cache
      end
    end
    4.times do |moment|
      %w[snapshot dump].each { |kind| LeakHunter::Recorder::Moment.take(kind:, path: "#{ARGV[0]}/#{kind}#{moment}") }
      Thread.new do # whose stack holds nothing at the next moment
        200.times { |number| Shop::TRAIL << Order.new(number) }
        50.times { |number| Shop.cache[[moment, number]] = "page" * 20 }
      end.join
    end
  RUBY

  def facts(report)
    groups = report[:groups].select { |group| group[:file] == "-e" }
    [groups.map { |group| group.values_at(:class, :file, :line, :count, :memsize) }.sort_by(&:to_s),
     report[:holders].map { |holder| [*holder.values_at(:name, :path, :count), holder.dig(:verdict, :verdict)].to_s }]
  end

  it "is compared like a dump, and with dumps" do
    Dir.mkdir(folder)
    run_ruby(both, folder)
    snapshots, dumps = %w[snapshot dump].map { |kind| Array.new(3) { |moment| "#{folder}/#{kind}#{moment}" } }
    mixed = [snapshots[0], dumps[1], snapshots[2]]
    reports = [dumps, snapshots, mixed].map { |paths| LeakHunter.diff(*paths, holders: true) }
    of_dumps, of_snapshots, of_mixed = reports.map { |report| facts(report) }
    expect(of_dumps[0].map(&:first)).to include("Order", "String")
    expect(of_dumps[1].first).to include("TRAIL")
    expect(of_snapshots).to eq(of_dumps)
    expect(of_mixed[0]).to eq(of_dumps[0])
  end

  it "has the graph that a dump has: what is found by class, paths, holders and the code of gems" do
    Dir.mkdir(folder)
    run_ruby(both, folder)
    heaps = %w[snapshot dump].map { |kind| LeakHunter::Heap.load("#{folder}/#{kind}2") }
    orders = heaps.map { |heap| heap.instances_of("Order").to_a }
    expect(orders.map(&:size)).to eq([400, 400])
    paths = orders.map { |found| found.min_by(&:address).path_to_root }
    paths = paths.map { |steps| steps.map { |step| step.values_at(:edge, :class).to_s } }
    expect(paths[0]).to eq(paths[1])
    expect(paths[0].join).to include("TRAIL")
    retained = heaps.map { |heap| heap.instances_of("Order").sum(&:retained_size) }
    expect(retained[0]).to eq(retained[1])
    File.write("#{@tmpdir}/Gemfile.lock", <<~LOCK)
      GEM
        remote: https://gems.example/
        specs:
          json (1.0)
          minitest (5.0)

      DEPENDENCIES
        json
        minitest
    LOCK
    gems = %w[snapshot dump].map { |kind| LeakHunter.gems("#{folder}/#{kind}2", dir: @tmpdir) }
    expect(gems[0]).to eq(gems[1])
    expect(gems[0].map { |gem| gem[:name] }).to contain_exactly("json", "minitest")
  end
end
