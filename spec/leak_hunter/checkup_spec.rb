# frozen_string_literal: true

require "json"
require "json-schema"
require "stringio"

RSpec.describe LeakHunter::Checkup, :tmpdir do
  include ProjectFiles

  let(:lock) do
    "GEM\n  remote: #{Gem.sources.first.uri}\n  specs:\n    rake (13.0.6)\n\n" \
      "PLATFORMS\n  ruby\n\nDEPENDENCIES\n  rake\n"
  end
  let(:memo) do
    "class Prices\n  def self.quote(day)\n    @quotes ||= {}\n    @quotes[day] ||= Object.new\n  end\nend\n"
  end

  # Three dumps of a process that has prices.rb.
  def dumps(work)
    run_ruby(<<~RUBY, @tmpdir).lines(chomp: true)
      require File.join(ARGV[0], "prices")
      #{work}
      LeakHunter.trace!
      paths = Array.new(3) { LeakHunter.dump!(dir: File.join(ARGV[0], "tmp")).path.tap { #{work} } }
      puts paths
    RUBY
  end

  def leaking_dumps
    write("prices.rb" => memo)
    dumps("400.times { |day| Prices.quote(day + rand) }")
  end

  def checkup(*moments, **options) = LeakHunter.checkup(*moments, dir: @tmpdir, live: false, **options)

  def step(checkup, name) = checkup.steps.find { |it| it.name == name }

  def cli(*argv)
    stdout = StringIO.new
    stderr = StringIO.new
    status = LeakHunter::CLI.new(["checkup", "--dir", @tmpdir, *argv], stdout:, stderr:).run
    [status, stdout.string, stderr.string]
  end

  it "has five steps, and says of those that it cannot do how they can be done" do
    write("prices.rb" => "X = 1\n")
    found = checkup
    expect(found.steps.map(&:name)).to eq(%w[unused_gems known_leaks lint patterns measure])
    expect(found.steps.map(&:status)).to eq(%w[not_done not_done not_done done not_done])
    expect(step(found, "unused_gems").notes.join).to include("There is no Gemfile.lock", "bundle lock")
    expect(step(found, "lint").notes.join).to include("the project does not have it")
    expect(step(found, "measure").notes.join).to include("leak_hunter checkup 1.json 2.json 3.json")
    expect(found.verdict).to eq("clean")
    expect(found.to_s).to start_with("Nothing was found. Not done: steps 1, 2, 3, 5.")
  end

  it "puts what grows first, with the code that explains it" do
    write("Gemfile.lock" => lock)
    found = checkup(*leaking_dumps)
    growth = found.growth.first
    expect(growth.name).to start_with("Prices.@quotes")
    expect(growth.causes.map { |cause| cause.slice(:step, :id, :path, :line, :confirmed) }).to eq(
      [{ step: 4, id: "LeakHunter/UnboundedMemo", path: "prices.rb", line: 4, confirmed: true }]
    )
    expect(step(found, "patterns").findings.first[:severity]).to eq("high")
    expect(found.verdict).to eq("findings")
    expect(found.to_s).to start_with("1 leak grows, and what was found explains it.")
  end

  it "says where nothing explains what grows" do
    write("prices.rb" => memo)
    paths = leaking_dumps
    write("prices.rb" => "X = 1\n")
    found = checkup(*paths)
    expect(found.growth.first.causes).to be_empty
    expect(found.to_s).to include("nothing that was found explains it")
    expect(found.to_s).to match(/cause +no finding of the other steps/)
  end

  it "is the same in JSON, as its schema says, and in SARIF, with places and stable fingerprints" do
    schema = JSON.parse(File.read(File.expand_path("../../docs/checkup.schema.json", __dir__)))
    write("Gemfile.lock" => lock)
    found = checkup(*leaking_dumps)
    expect(JSON::Validator.fully_validate(schema, JSON.parse(found.to_json))).to eq([])
    sarif = JSON.parse(JSON.generate(found.to_sarif))
    results = sarif.dig("runs", 0, "results")
    expect(sarif["version"]).to eq("2.1.0")
    expect(results.size).to eq(found.findings.size)
    memo = results.find { |it| it["ruleId"] == "LeakHunter/UnboundedMemo" }
    expect(memo).to include("level" => "error")
    expect(memo.dig("locations", 0, "physicalLocation")).to eq(
      "artifactLocation" => { "uri" => "prices.rb" }, "region" => { "startLine" => 4 }
    )
    write("prices.rb" => "# moved\n\n#{self.memo}")
    moved = checkup.to_sarif["runs"][0]["results"].find { |it| it["ruleId"] == memo["ruleId"] }
    expect(moved["partialFingerprints"]).to eq(memo["partialFingerprints"])
    expect(moved.dig("locations", 0, "physicalLocation", "region", "startLine")).to eq(6)
  end

  it "is one HTML file that loads nothing, and Markdown, both with every name escaped" do
    hostile = "class Prices\n  def self.quote(day)\n    (@quotes ||= {})[day] ||= day\n  end\nend\n"
    write("<b>`a`|*.rb" => hostile)
    found = checkup
    expect(found.to_html).to include("&lt;b&gt;")
    expect(found.to_html).not_to match(/<b>|<script|src=|@import/)
    expect(found.to_markdown).to include("\\<b\\>\\`a\\`\\|\\*.rb")
  end

  it "exits with 0 without findings, 1 with them, 2 when it is used wrongly, 3 when it cannot tell" do
    write("prices.rb" => "X = 1\n")
    expect(cli).to match([0, start_with("Nothing was found."), ""])
    write("prices.rb" => memo)
    expect(cli.first).to eq(1)
    expect(cli("--fail-on", "high").first).to eq(0)
    expect(cli("--fail-on", "never").first).to eq(0)
    expect(cli("--fail-on", "often")).to match([2, "", /--fail-on: expected low, medium, high, never, got often/])
    write(".leak_hunter.yml" => "fail_on: high\n")
    expect(cli.first).to eq(0)
    expect(cli("--fail-on", "medium").first).to eq(1)
    write(".leak_hunter.yml" => "fail_at: high\n")
    expect(cli).to match([2, "", /\.leak_hunter\.yml: unknown key "fail_at"\. Did you mean fail_on\?/])
    write(".leak_hunter.yml" => "", "prices.rb" => "X = 1\n")
    expect(cli(*RealDumps.paths.first(2))).to match([3, /takes three moments or more; there are 2/, ""])
    expect(cli(File.join(@tmpdir, "none.json"))).to match([3, "", /none\.json/])
  end

  it "leaves out what the settings and the baseline say, and counts again what has expired" do
    write("prices.rb" => memo)
    ignore = "lint: {ignore: [{name: LeakHunter/UnboundedMemo, reason: seldom, until: %s}]}\n"
    write(".leak_hunter.yml" => format(ignore, "2999-01-01"))
    expect(step(checkup, "patterns")).to have_attributes(findings: [], ignored: 1)
    write(".leak_hunter.yml" => format(ignore, "2020-01-01"))
    found = checkup
    expect(step(found, "patterns").findings.size).to eq(1)
    expect(found.to_s).to include("LeakHunter/UnboundedMemo was ignored until 2020-01-01")
    FileUtils.rm(File.join(@tmpdir, ".leak_hunter.yml"))
    LeakHunter::CLI.new(["lint", "--update-baseline", @tmpdir], stdout: StringIO.new).run
    expect(step(checkup, "patterns")).to have_attributes(findings: [], ignored: 1)
  end

  it "leaves out gems and known leaks that the project accepts" do
    gem_app("sinatra", @tmpdir)
    run_gem_app(@tmpdir, 'LeakHunter.dump!(File.join(Dir.pwd, "1.json"))')
    found = -> { %w[unused_gems known_leaks].map { |name| step(checkup(File.join(@tmpdir, "1.json")), name) } }
    unused, leaks = found.call
    expect(unused.findings.map { |it| it[:subject] }).to include(/\Apry /)
    leak = leaks.findings.first[:id]
    write(".leak_hunter.yml" => <<~YAML)
      gems: {ignore: [{name: pry, reason: for the console}]}
      advisories: {ignore: [{name: #{leak}, reason: it does not concern us}]}
    YAML
    less, fewer = found.call
    expect([less.ignored, fewer.ignored]).to eq([1, 1])
    expect(less.findings.map { |it| it[:subject] }).to eq(unused.findings.map { |it| it[:subject] }.grep_v(/\Apry /))
    expect(fewer.findings.map { |it| it[:id] }).to eq(leaks.findings.map { |it| it[:id] } - [leak])
  end

  it "asks gem servers only when told to, says which, and that one does not answer" do
    write("Gemfile.lock" => lock.gsub("rake (13.0.6)", "puma (5.6.4)").gsub("  rake\n", "  puma\n"),
          "a.rb" => "A = 1\n", "gemrc" => "---\n:sources:\n- http://127.0.0.1:9/\n")
    env = { "GEMRC" => File.join(@tmpdir, "gemrc") }
    command = [RbConfig.ruby, "-w", "-I#{RubyProcess::LIB}", "-rleak_hunter", "-e",
               "exit LeakHunter::CLI.new(ARGV).run", "checkup", "--no-rubocop", "--dir", @tmpdir]
    output, errors, status = Open3.capture3(env, *command)
    expect([errors, output.include?("127.0.0.1"), status.exitstatus]).to eq(["", false, 0])
    output, errors, status = Open3.capture3(env, *command, "--online")
    expect(errors).to match(%r{\Aleak_hunter: asking http://127\.0\.0\.1:9/ about .*puma})
    expect(output).to include("127.0.0.1:9")
    expect(status.exitstatus).to eq(3)
  end

  it "measures a block in this process" do
    kept = []
    stub = Class.new { define_singleton_method(:work) { 300.times { kept << Object.new } } }
    found = LeakHunter.checkup(dir: @tmpdir, rubocop: false) { stub.work }
    expect(found.growth.size).to be >= 1
    expect { LeakHunter.checkup("1.json", dir: @tmpdir) { nil } }.to raise_error(LeakHunter::UsageError, /not both/)
  ensure
    kept&.clear
  end

  it "keeps within the width of a terminal" do
    found = checkup(*leaking_dumps)
    [20, 40, 80].each do |width|
      widest = found.to_s(width:).lines(chomp: true).map { |line| LeakHunter::Report::Format.columns(line) }.max
      expect(widest).to be <= width
    end
  end
end
