# frozen_string_literal: true

require "leak_hunter/advisories"
require "open3"
require "rbconfig"
require_relative "../../fixtures/advisories/programs"

# Real gems that leak as leakdb/ says, and the same gems without what triggers it.
RSpec.describe LeakHunter::Advisories::HeapEvidence do
  # The gem of this machine, if it leaks so.
  leaky = PROGRAMS.keys.to_h do |id|
    entry = LeakHunter::LeakDB.default[id]
    [id, Gem::Specification.find { |spec| spec.name == entry.gem && entry.leaky?(spec.version) }]
  end.compact
  # What debug does to all threads would show in the others' answers.
  alone, together = leaky.keys.partition { |id| id == "debug-899" }

  def dumps(kind, *ids, dir: @tmpdir)
    FileUtils.mkdir_p(dir)
    env = { "RUBY_DEBUG_LOG_LEVEL" => "FATAL", "RUBY_DEBUG_SOCK_DIR" => dir }
    program = File.expand_path("../../fixtures/advisories/run.rb", __dir__)
    output, status = Open3.capture2e(env, RbConfig.ruby, "-I", RealDumps::LIB, program, kind, dir, *ids)
    raise output unless status.success?

    (1..3).map { |number| File.join(dir, "#{number}.json") }
  end

  def report(...) = LeakHunter.diff(*dumps(...), holders: true)

  define_method(:findings) do |**options|
    specs = leaky.values.uniq.map { |gem| "    #{gem.name} (#{gem.version})\n" }.join
    lock = LeakHunter::Project::Lockfile.parse("GEM\n  remote: x\n  specs:\n#{specs}\nDEPENDENCIES\n\n" \
                                               "RUBY VERSION\n  ruby 4.0.10\n")
    LeakHunter.advisories(lock, **options).to_h { |finding| [finding[:id], finding] }
  end

  it "confirms leaks of real gems where they leak", :tmpdir do
    expect(together.size).to be >= 3
    found = findings(report: report("leaks", *together))
    together.each do |id|
      expect(found[id]).to include({ confirmed: true, severity: "high" }), id
      expect(found[id][:evidence]).to match(/ grows: [\d,]+ objects? more\z/)
    end
  end

  it "denies them where the same gems do not leak", :tmpdir do
    found = findings(report: report("clean", *together))
    together.each do |id|
      mended = LeakHunter::LeakDB.default[id].fixed_in.any?
      # what no release has mended is not told then
      expect(found[id]).to mended ? include(confirmed: false, severity: "low") : be_nil
    end
  end

  if alone.any?
    it "confirms dead threads that debug keeps, by what grows and by one heap with very many", :tmpdir do
      paths = dumps("leaks", "debug-899")
      expect(findings(report: LeakHunter.diff(*paths, holders: true))["debug-899"])
        .to include(confirmed: true, evidence: /\ADEBUGGER__::SESSION → Hash grows/)
      growing = LeakHunter::Advisories::GrowingGems.call(LeakHunter.diff(*paths, holders: true))
      expect(growing.first).to include(gem: "debug", tracker: "https://github.com/ruby/debug/issues",
                                       search: "https://github.com/ruby/debug/issues?q=is%3Aissue+memory+leak")
      expect(findings(heap: paths.last)["debug-899"])
        .to include(confirmed: true, evidence: /\A3\d\d instances of DEBUGGER__::ThreadClient in this heap/)
    end

    it "does not confirm them where no threads come and go", :tmpdir do
      paths = dumps("clean", "debug-899")
      # each dump is taken by a thread, which debug keeps, too
      expect(findings(report: LeakHunter.diff(*paths, holders: true))["debug-899"]).to include(confirmed: nil)
      expect(findings(heap: paths.last)["debug-899"]).to include(confirmed: nil)
      expect(findings(heap: LeakHunter::Heap.load(RealDumps.paths.last))["debug-899"])
        .to include(confirmed: false, evidence: "0 instances of DEBUGGER__::ThreadClient in this heap")
    end
  end

  it "says nothing by a diff without holders, by one that is undecided, or of leaks that no heap shows" do
    entry = LeakHunter::LeakDB.default["debug-899"]
    expect(described_class.new(report: LeakHunter.diff(*RealDumps.paths)).of(entry)).to eq [nil, nil]
    report = LeakHunter.diff(*RealDumps.paths, holders: true)
    expect(described_class.new(report:).of(entry)).to eq [false, "nothing that grows fits it"]
    expect(described_class.new(report:).of(LeakHunter::LeakDB.default["oj-1086"])).to eq [nil, nil]
    undecided = { **report, verdict: { **report[:verdict], name: "undecided" } }
    expect(described_class.new(report: undecided).of(entry)).to eq [nil, nil]
  end

  it "says of a native leak that the process grew by what is no Ruby object" do
    report = { **LeakHunter.diff(*RealDumps.paths, holders: true), ledger: { conclusion: "not_ruby_objects" } }
    expect(described_class.new(report:).of(LeakHunter::LeakDB.default["oj-1086"]))
      .to eq [nil, "the process grew by what is no Ruby object, as with this leak"]
  end
end
