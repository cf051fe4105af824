# frozen_string_literal: true

require "json"
require "pty"

# why, top, flame and export on dumps of a real process.
RSpec.describe "The command line on one dump" do
  let(:dumps) { RealDumps.paths }
  let(:dump) { dumps.last }
  let(:heap) { LeakHunter::Heap.load(dump) }

  def leak_hunter(...) = RealDumps.leak_hunter(...)

  def printed(*arguments)
    output, errors, status = leak_hunter(*arguments)
    expect([errors, status]).to eq(["", 0])
    output
  end

  def expect_narrow(text) = expect(text.lines(chomp: true).map(&:length).max).to be <= 80

  describe "top" do
    it "names what retains most, with the address that why takes" do
      output = printed("top", dump)
      expect(output).to match(/^SESSIONS \(Array\) +0x\h+ +[\d.]+ k?B +[\d.]+ k?B +[\d.]+ %$/)
      expect(output.lines.size).to eq(24)
      expect_narrow(output)
    end

    { "count" => /^String +[\d,]+ /, "bytes" => /^String +[\d,]+ /, "class" => /^Class +[\d,]+ .* %$/,
      "gem" => /^app +[\d,]+ /, "site" => /sessions\.rb:10#{RealDumps::IN_NEW} \(app\) +[\d,]+ / }.each do |by, line|
      it "knows other ways to measure: #{by}" do
        output = printed("top", "--by", by, "--limit", "12", dump)
        expect(output).to match(line)
        expect_narrow(output)
      end
    end

    it "prints JSON" do
      json = JSON.parse(printed("top", "--format", "json", "--limit", "2", dump))
      expect(json).to include("schema" => 1, "by" => "retained", "objects" => heap.size, "memsize" => heap.memsize)
      expect(json["rows"]).to match([include("address", "label", "class", "memsize", "retained_size")] * 2)
    end
  end

  describe "why" do
    it "shows the way from the roots to an object" do
      session = heap.instances_of("Session").first
      output = printed("why", dump, session.address)
      expect(output).to match(/\ASession at #{session.address}\n/)
      expect(output).to match(/dominator: SESSIONS \(Array\) at 0x\h+,/)
      expect(output).to match(/^  root \w+$/).and match(/^  ::SESSIONS  Array +[\d.]+ k?B/)
      expect(output.lines.last).to match(/^ +\[\S+\]  (Session) +\d+ B +\S*sessions\.rb:10$/)
      expect_narrow(output)
    end

    it "shows the commonest ways to the objects of a class" do
      output = printed("why", dump, "Session")
      expect(output).to match(/\A(?:1,000 objects, 40|1,500 objects, 60)\.0 kB\. 500 /)
      expect(output).to match(/^[45]\d\d objects .*Session at 0x\h+$/).and include("::SESSIONS")
      expect_narrow(output)
    end

    it "prints JSON" do
      json = JSON.parse(printed("why", "--format", "json", dump, "Session"))
      expect(json).to include("schema" => 1, "target" => "Session", "looked_at" => 500)
      object = json["objects"].first
      expect(object).to include("label" => "Session", "referrers" => 1,
                                "dominator" => include("label" => "SESSIONS (Array)"))
      expect(object["path"].last).to include("address" => object["address"], "retained_size" => object["retained_size"])
    end

    it "is status 1 when there is no such object" do
      [%w[0x8], %w[session]].each do |target|
        output, errors, status = leak_hunter("why", dump, *target)
        expect([output, status]).to eq(["", 1])
        expect(errors).to start_with("leak_hunter: #{dump} ").and include(*target)
      end
      expect(leak_hunter("why", dump, "session")[1]).to end_with(": Session\n")
    end
  end

  describe "on a terminal" do
    # @return [String] all that it wrote, to both streams
    def on_terminal(*arguments)
      env = { "NO_COLOR" => nil, "FORCE_COLOR" => nil, "TERM" => "xterm" }
      PTY.spawn(env, RbConfig.ruby, "-I", RealDumps::LIB, RealDumps::EXE, *arguments) do |output, _, pid|
        written = +""
        begin
          loop { written << output.readpartial(4096) }
        rescue EOFError, Errno::EIO
          Process.wait(pid)
        end
        return written
      end
    end

    it "shows how far the reading is, and colours" do
      expect(on_terminal("top", dump)).to match(/\r\e\[Kreading dumps \[.*\r\e\[K\S+3\.json: [\d,]+ objects/m)
        .and include("\e[2m")
      expect(on_terminal("why", dump, "Session")).to include("\e[1mSession\e[0m")
    end

    it "draws no progress bar around JSON, and no page" do
      expect(on_terminal("top", "--format", "json", dump)).to start_with('{"schema":1')
      expect(on_terminal("flame", dump)).to start_with("leak_hunter: flame ")
    end
  end

  it "leaves nothing behind on Ctrl-C", :tmpdir do
    reader, writer = IO.pipe
    program = "require 'leak_hunter/cli'; " \
              "LeakHunter::Heap::Export.singleton_class.prepend(Module.new { def to_file(path) = super { |io| " \
              "io.write('half'); io.flush; $stdout.puts('half'); $stdout.flush; sleep } }); " \
              "exit LeakHunter::CLI.new(ARGV).run"
    pid = spawn(RbConfig.ruby, "-I", RealDumps::LIB, "-r", "leak_hunter", "-e", program, "flame", dump,
                "-o", "#{@tmpdir}/leak.html", out: writer)
    writer.close
    expect(reader.gets).to eq("half\n")
    Process.kill(:INT, pid)
    expect(Process.wait2(pid).last.exitstatus).to eq(130)
    expect(Dir.children(@tmpdir)).to be_empty
  end

  describe "export and flame", :tmpdir do
    it "write to standard output or into a file" do
      folded = printed("export", "--format", "folded", dump)
      file = File.join(@tmpdir, "heap.folded")
      expect(printed("export", "--format", "folded", "--view", "retained", "-o", file, dump)).to eq("")
      expect(File.read(file)).to eq(folded)
      expect(printed("export", "--format", "heapsnapshot", dump)).to start_with('{"snapshot":')
      expect(printed("export", "--format", "dot", "--object", heap.first.address, dump)).to start_with("digraph heap {")
    end

    it "tell what leaked between three dumps" do
      leaked = printed("export", "--format", "folded", "--view", "sites", "--leaked", *dumps)
      expect(leaked.lines.sum { |line| line[/\d+$/].to_i }).to eq(LeakHunter.diff(*dumps)[:totals][:memsize])
      page = File.join(@tmpdir, "leak.html")
      expect(printed("flame", *dumps, "-o", page)).to eq("")
      expect(File.read(page)).to match(/"title":"[^"]*1\.json[^"]*2\.json[^"]*3\.json","partial":true/)
    end

    it "are status 1 when they cannot be written" do
      output, errors, status = leak_hunter("flame", dump, "-o", "/dev/full")
      expect([output, status]).to eq(["", 1])
      expect(errors).to include("No space left on device")
    end
  end
end
