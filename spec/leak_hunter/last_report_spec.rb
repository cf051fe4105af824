# frozen_string_literal: true

require "json"
require "stringio"

# `leak_hunter why '#2'`: the second holder of the last report.
RSpec.describe LeakHunter::CLI, "the last report", :tmpdir do
  let(:dumps) { RealDumps.paths }
  let(:state) { File.join(@tmpdir, "state") }
  let(:file) { File.join(state, "leak_hunter", "last_report.json") }

  around do |example|
    before = ENV.to_h.slice("XDG_STATE_HOME", "HOME")
    ENV["XDG_STATE_HOME"] = state
    example.run
    ENV.update(before)
  end

  def run(*argv)
    @stdout = StringIO.new
    @stderr = StringIO.new
    described_class.new(argv, stdout: @stdout, stderr: @stderr).run
  end

  def diff(*options) = run("diff", *options, *dumps)

  # @return [String] the error of a command that fails
  def error_of(*argv)
    expect([argv, run(*argv), @stdout.string]).to eq([argv, 1, ""])
    expect(@stderr.string).to match(/\Aleak_hunter: [^\n]+\n\z/)
    @stderr.string
  end

  def expect_first_holder(*argv)
    expect([argv, run(*argv), @stderr.string]).to eq([argv, 0, ""])
    expect(@stdout.string).to start_with("#1 of the last report: SESSIONS\n\nSESSIONS (Array) at 0x")
  end

  it "is what #1 means, with its dump or without" do
    [%w[diff], %w[diff --format json], %w[diff --holders 1 --redact]].each do |command|
      FileUtils.rm_rf(state)
      expect(run(*command, *dumps)).to eq(0)
      expect_first_holder("why", "#1")
      expect_first_holder("why", dumps.last, "#1")
      expect_first_holder("why", dumps.last, "1")
    end
    Dir.chdir(File.dirname(dumps.last)) { expect_first_holder("why", "3.json", "#1") }
    expect(run("why", "--format", "json", "#1")).to eq(0)
    expect(JSON.parse(@stdout.string)).to include("target" => "#1", "count" => 1)
  end

  it "is noted for its owner alone: where the holders are and what they are called" do
    diff
    expect([File.dirname(file), file].map { |path| File.stat(path).mode & 0o777 }).to eq([0o700, 0o600])
    expect(Dir.children(File.dirname(file))).to eq(["last_report.json"])
    noted = JSON.parse(File.read(file))
    expect(noted.keys).to contain_exactly("schema", "dump", "holders")
    expect(noted["dump"].keys).to contain_exactly("path", "id", "bytes")
    expect(noted["holders"]).to all(match("address" => String, "name" => String, "fingerprint" => /\A\h{16}\z/))
    expect(File.read(file)).not_to match(/token|article/)
  end

  it "does not follow a link" do
    FileUtils.mkdir_p(File.dirname(file))
    File.symlink(other = File.join(@tmpdir, "other"), file)
    diff
    expect(File.exist?(other)).to be(false)
    expect(File.lstat(file)).to be_file
  end

  it "stays when a diff looks for no holders" do
    diff
    expect(diff("--no-holders")).to eq(0)
    expect_first_holder("why", "#1")
  end

  it "does not need to be noted" do
    diff
    report = @stdout.string
    ["/dev/null", "relative", ""].each do |folder|
      ENV["XDG_STATE_HOME"] = folder
      ENV["HOME"] = "/dev/null"
      expect([diff, @stdout.string, @stderr.string]).to eq([0, report, ""])
      expect(error_of("why", "#1")).to match(%r{no last report: .*/dev/null})
    end
    expect(File.exist?("relative")).to be(false)
    ENV.delete("HOME")
    expect([diff, @stderr.string]).to eq([0, ""])
    expect(error_of("why", "#1")).to include("no last report", "XDG_STATE_HOME", "HOME")
  end

  it "is in ~/.local/state unless XDG_STATE_HOME says otherwise" do
    ENV.delete("XDG_STATE_HOME")
    ENV["HOME"] = @tmpdir
    diff
    expect(File).to be_file(File.join(@tmpdir, ".local/state/leak_hunter/last_report.json"))
    expect_first_holder("why", "#1")
  end

  it "is missed with a sentence" do
    expect(error_of("why", "#1")).to include("no last report", "leak_hunter diff", state)
    diff
    holders = JSON.parse(File.read(file))["holders"].size
    expect(error_of("why", "##{holders + 1}"))
      .to include("no holder ##{holders + 1}", holders == 1 ? "one" : holders.to_s)
    expect(error_of("why", dumps.last, "#0")).to include("no holder #0")
    expect(error_of("why", dumps.first, "#1")).to include(*dumps.values_at(0, 2), "not the dump of the last report")
    noted = JSON.parse(File.read(file))
    noted["dump"]["path"] = "/no/such/3.json".unpack1("H*")
    File.write(file, JSON.generate(noted))
    expect(error_of("why", "#1")).to include("gone", "/no/such/3.json")
    expect(run("why", dumps.last, "#1")).to eq(0) # moved, but the same by its id
  end

  it "is missed when what was noted cannot be used" do
    FileUtils.mkdir_p(File.dirname(file))
    ["", "{", "[]", "1", "{\"schema\":2}", "{\"schema\":1}", "\xFF", "[" * 1000,
     '{"schema":1,"dump":{"path":3},"holders":[]}', '{"schema":1,"dump":{},"holders":[1]}',
     '{"schema":1,"dump":{},"holders":[{"name":[]}]}'].each do |text|
      File.binwrite(file, text)
      expect(error_of("why", "#1")).to include("leak_hunter diff again")
    end
    File.write(file, '{"schema":1,"dump":{},"holders":[{"name":"x","more":1}]}')
    expect(error_of("why", "#1")).to include("not of a dump")
    File.delete(file)
    File.mkfifo(file)
    expect(error_of("why", "#1")).to include("no last report", "not a file")
  end

  it "is to be quoted" do
    expect(run("why", "3.json")).to eq(2)
    expect(@stderr.string).to include("'#2'")
  end
end
