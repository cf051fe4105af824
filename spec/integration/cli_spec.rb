# frozen_string_literal: true

require "json"
require "io/console"
require "pty"

RSpec.describe "The command line" do
  let(:dumps) { RealDumps.paths }

  def leak_hunter(...) = RealDumps.leak_hunter(...)

  def diff(*options) = leak_hunter("diff", *options, *dumps)

  def spawn_diff(...) = spawn(RbConfig.ruby, "-w", "-I", RealDumps::LIB, RealDumps::EXE, "diff", *dumps, ...)

  it "prints the report: all that leaked, and nothing of LeakHunter's own" do
    output, errors, status = diff
    expect([errors, status]).to eq(["", 0])
    expect(output).to match(/\A1 leak, .*\bexact\b.*^1\. GROWING  SESSIONS$.*^   code .*sessions\.rb:\d/m)
    output, = diff("--top", "20")
    expect(output).to match(/^Session +500 /).and match(/^String +500 /)
    expect(output).to include("sessions.rb:4 in ").and match(/sessions\.rb:10#{RealDumps::IN_NEW} /)
    expect(output).not_to match(%r{lib/leak_hunter|\e})
    expect(output.lines(chomp: true).map(&:length).max).to be <= 80
  end

  it "prints the classic lines, most objects first" do
    output, = diff("--format", "classic")
    lines = output.lines(chomp: true)
    expect(lines.first).to match(%r{\ARetained 500 (OBJECT|STRING) objects of size \d+/\d+ at: .+sessions\.rb:\d+\z})
    expect(lines[-2..]).to match(["", %r{\ATotal Size: \d+/\d+\z}])
    counts = lines.filter_map { |line| line[/\ARetained (\d+)/, 1]&.to_i }
    expect(counts).to eq(counts.sort.reverse)
  end

  it "prints JSON, with all groups unless told otherwise" do
    output, = diff("--format", "json")
    result = JSON.parse(output, symbolize_names: true)
    expect(result).to include(schema: 1, identity: "generation", sort: "memsize")
    expect(result[:groups].find { |group| group[:class] == "Session" }).to include(type: "OBJECT", count: 500, line: 10)
    expect(result[:totals]).to include(groups: result[:groups].size)
    expect(LeakHunter::Report.new(result).to_s(top: 20)).to eq(diff.first)
    expect(JSON.parse(diff("--format", "json", "--top", "1").first)["groups"].size).to eq(1)
  end

  it "groups, sorts, cuts and filters" do
    expect(diff("--group-by", "class", "--only", "Session").first)
      .to match(/^Session +500 /).and match(/The\sfilters\sleft\sout/)
    expect(diff("--only", "/^sess/i", "--only", "String", "--by", "class").first)
      .to match(/^Session/).and match(/^String/)
    expect(diff("--ignore", "/./").first)
      .to match(/\ANo leak found .*filters/)
    expect(diff("--top", "1", "--sort", "bytesize").first).to match(/^String.*\n.*\n\d more +5\d\d /)
    expect(diff("--top", "all", "--threads", "1").first).to eq(diff("--top", "20", "--threads", "2").first)
  end

  it "gives the classic script's answer, and says what that is worth" do
    expect(diff("--identity", "address").first).to match(/by\s+address\s+only/)
  end

  it "writes into a file", :tmpdir do
    file = File.join(@tmpdir, "report.txt")
    expect(diff("--output", file)).to eq(["", "", 0])
    expect(File.read(file)).to eq(diff.first)
  end

  it "refuses a pattern that Rust cannot match" do
    _, errors, status = diff("--only", "/a(?=b)/")
    expect(status).to eq(2)
    expect(errors).to include("look-around").and end_with("Try: leak_hunter help diff\n")
  end

  it "is status 1 when the dumps cannot be compared", :tmpdir do
    broken = File.join(@tmpdir, "broken.json")
    File.write(broken, File.read(dumps[1])[0...-100])
    {
      dumps.values_at(0, 2, 1) => /second .* third/,
      dumps.values_at(0, 0, 1) => /same/,
      [dumps[0], broken, dumps[2]] => /broken\.json: .*\(.*byte \d+\)/,
      [dumps[0], __FILE__, dumps[2]] => /cli_spec\.rb: is not a heap dump/
    }.each do |three, message|
      output, errors, status = leak_hunter("diff", *three)
      expect([output, status]).to eq(["", 1])
      expect(errors).to match(/\Aleak_hunter: .*#{message}/)
    end
  end

  it "is quiet when its reader has seen enough" do
    reader, writer = IO.pipe
    errors_reader, errors_writer = IO.pipe
    reader.close
    pid = spawn_diff(out: writer, err: errors_writer)
    [writer, errors_writer].each(&:close)
    expect(errors_reader.read).to eq("")
    expect(Process.wait2(pid).last.exitstatus).to eq(0)
  end

  it "is quiet and status 130 on Ctrl-C" do
    reader, full = IO.pipe
    loop { full.write_nonblock("x" * 4096) }
  rescue IO::EAGAINWaitWritable
    errors_reader, errors_writer = IO.pipe
    writing, tell = IO.pipe
    # says that it writes, which it does until its reader reads
    program = "tell = IO.for_fd(Integer(ARGV.shift)); $stdout.singleton_class.prepend(Module.new { " \
              "define_method(:write) { |text| tell.syswrite('.') && super(text) } }); " \
              "exit LeakHunter::CLI.new(ARGV).run"
    pid = spawn(RbConfig.ruby, "-w", "-I", RealDumps::LIB, "-rleak_hunter", "-e", program, tell.fileno.to_s,
                "diff", *dumps, out: full, err: errors_writer, tell => tell)
    [errors_writer, tell].each(&:close)
    expect(writing.read(1)).to eq(".")
    Process.kill(:INT, pid)
    expect(Process.wait2(pid).last.exitstatus).to eq(130)
    expect(errors_reader.read).to eq("")
    [reader, writing, errors_reader].each(&:close)
  end

  describe "with more than three dumps", :tmpdir do
    let(:four) { (1..4).map { |number| File.join(@tmpdir, "#{number}.json") } }

    before do
      run_ruby(<<~'RUBY', @tmpdir)
        class Session; def initialize(number) = @token = "token #{number}"; end
        SESSIONS = []
        LeakHunter.trace!
        4.times do |index|
          LeakHunter.dump!(File.join(ARGV[0], "#{index + 1}.json"))
          100.times { |number| SESSIONS << Session.new(number) }
        end
      RUBY
    end

    it "compares all of them" do
      output, errors, status = leak_hunter("diff", "--format", "json", "--timings", *four)
      expect(status).to eq(0)
      expect(errors).to include("reading 1.json", "reading 4.json")
      result = JSON.parse(output, symbolize_names: true)
      expect(result[:dumps].map { |dump| dump[:path] }).to eq(four)
      # between the first and the last but one
      expect(result[:groups].find { |group| group[:class] == "Session" }).to include(count: 200)
      expect(leak_hunter("diff", *four).first).to include("SESSIONS")
    end

    it "exports what leaked between all of them" do
      output, errors, status = leak_hunter("export", "--format", "folded", "--view", "sites", *four)
      expect([errors, status]).to eq(["", 0])
      expect(output.lines.sum { |line| line[/\d+$/].to_i }).to eq(LeakHunter.diff(*four)[:totals][:memsize])
      expect(leak_hunter("flame", *four, "-o", page = "#{@tmpdir}/leak.html")).to eq(["", "", 0])
      expect(File.read(page)).to include("allocated between 1.json and 3.json, alive in 4.json")
    end
  end

  describe "on a terminal" do
    # @return [String] all that it wrote, to both streams
    def on_terminal(*arguments, env: {}, columns: 100)
      env = { "NO_COLOR" => nil, "FORCE_COLOR" => nil, "TERM" => "xterm" }.merge(env)
      PTY.open do |master, slave|
        slave.winsize = [24, columns]
        pid = spawn(env, RbConfig.ruby, "-I", RealDumps::LIB, RealDumps::EXE, *arguments,
                    in: slave, out: slave, err: slave)
        slave.close
        written = +""
        begin
          loop { written << master.readpartial(4096) }
        rescue EOFError, Errno::EIO
          Process.wait(pid)
        end
        written.force_encoding(Encoding::UTF_8)
      end
    end

    it "is coloured and as wide as the terminal, and the progress bar is gone in the end" do
      written = on_terminal("diff", *dumps)
      expect(written).to include("\r\e[Kcomparing dumps [", "\e[1mGROWING  SESSIONS\e[0m")
      text = written[/.*\r\e\[K(.*)/m, 1].gsub(/\e\[[\d;]*m/, "").delete("\r")
      expect(text.lines(chomp: true).map(&:length).max).to be_between(80, 99)
    end

    [%w[diff --threads 1], %w[export --format folded --threads 1 -o]].each do |command|
      it "shows a progress that goes up once: #{command.join(" ")}", :tmpdir do
        output = "#{@tmpdir}/leak.folded" if command.last == "-o"
        written = on_terminal(*command, *output, *SlowDumps.paths)
        percents = written.scan(/\] (\d+) %\r\e\[K/).flatten.map(&:to_i)
        expect(percents.size).to be > 2
        expect(percents).to eq(percents.sort)
      end
    end

    it "heeds NO_COLOR and --no-color" do
      expect(on_terminal("diff", *dumps, env: { "NO_COLOR" => "1" })).not_to include("\e[1m")
      expect(on_terminal("diff", "--no-color", *dumps)).not_to include("\e[1m")
    end

    it "draws no progress bar around JSON" do
      expect(on_terminal("diff", "--format", "json", *dumps)).to start_with('{"schema":1')
    end
  end

  it "is coloured elsewhere when asked" do
    expect(diff("--color").first).to include("\e[1mGROWING  SESSIONS\e[0m")
    expect(leak_hunter("diff", *dumps, env: { "FORCE_COLOR" => "1" }).first).to include("\e[1mGROWING  SESSIONS\e[0m")
  end
end
