# frozen_string_literal: true

RSpec.describe "The report of holders" do
  def holder(**keys) = SampleReport.holder(**keys)

  def report(*holders, **result) = LeakHunter::Report.new(SampleReport.with_holders(*holders, **result))

  def text(*holders, width: 80, shown: 5, **result) = report(*holders, **result).to_s(width:, holders: shown)

  # A text without its line breaks.
  def unwrapped(text) = text.split.join(" ")

  it "says first whether something grows, how fast, of which process that is said, and how certain it is" do
    first, second = text(holder, holder(verdict: "once", reason: "stopped")).lines(chomp: true)
    expect(first).to match(%r{\A1 leak, .* 1\.1 MB/min\. 1 other holder })
    expect(second).to match(/\Apid 4711, 2026-05-04 12:00:00 to 12:01:00 UTC\. Ruby heap 132 MB\. .*exact/)
      .or match(/\Apid 4711, /)
  end

  it "says of a leak how it grows, the path through it, where the code is, what mends it, and what to ask next" do
    lines = text(holder).split("\n\n")[1].lines(chomp: true)
    expect(lines).to match([
                             "1. GROWING  Sessions::ALL",
                             "   rate    +550 kB, then +550 kB (1.1 MB/min); 9,000 objects, 1.1 MB",
                             "   path    Sessions",
                             "           └ ALL        Array, 18,000 entries  +9,000, +9,000",
                             "             └ [n]      Session",
                             "               └ @token String",
                             "   code    /srv/shop/app/models/session.rb:42 (app)",
                             /\A   fix     .* frees 1\.1 MB; .* frees 3\.3 MB/, *[/\A {11}\S/] * 2,
                             "   next    leak_hunter why 3.json 0x7f0000000028"
                           ])
  end

  it "has no rate by the minute where the times are not known" do
    expect(text(holder, times: [nil] * 3)).to match(/^   rate    \+550 kB, then \+550 kB; /)
      .and match(/\A1 leak, growing 1\.1 MB between/)
  end

  it "says that there is no leak when nothing grows, and what stayed" do
    calm = [holder(verdict: "once", reason: "stopped", memsize: 900),
            holder(verdict: "replaced", reason: "length_flat", name: "LRU")]
    said = text(*calm, totals: { cache_count: 37, cache_memsize: 1_480 })
    expect(said).to start_with("No leak found.")
    expect(said.split("\n\n")[1].lines(chomp: true)).to match([/Stopped.*: 1 holder, 900 B \(Sessions::ALL 900 B\)/,
                                                               /replaced: 1 holder, 1\.1 MB \(LRU 1\.1 MB\)/,
                                                               /caches: 37 objects, 1\.5 kB/])
  end

  it "does not say that there is no leak when the dumps do not tell" do
    result = SampleReport.with_holders(holder(verdict: "once", reason: "stopped"))
    result[:verdict][:name] = "undecided" # the last dump lacks objects
    expect(LeakHunter::Report.new(result).to_s).to start_with("No leak found, but this is not certain")
  end

  it "shows what may be a leak where nothing is known to be one, with the reason, and what would tell" do
    said = text(holder(verdict: "inconclusive", reason: "slowing"), holder(verdict: "once", reason: "stopped"))
    expect(unwrapped(said)).to match(/\ANo leak proven: 1 holder .* dump /)
    expect(said).to match(/^1\. INCONCLUSIVE  Sessions::ALL$/)
      .and match(/^   why     it grows more slowly.*one more dump/)
  end

  it "sums up what it does not show, the largest by name" do
    others = Array.new(7) { |index| holder(verdict: "once", name: "Warm#{index}", memsize: 100 + index) }
    fold = text(holder, *others)[/^Stopped growing: .*/]
    expect(unwrapped(fold)).to eq("Stopped growing: 7 holders, 721 B (Warm6 106 B, Warm5 105 B, Warm4 104 B, …)")
    expect(text(holder, *others, shown: nil).scan(/^\d\. (?:GROWING|ONCE)/).size).to eq(8)
    expect(text(*Array.new(7) { holder }).scan("GROWING").size).to eq(5)
  end

  it "shows how a collection inside the holder grows, when that is what grows" do
    path = SampleReport.holder_path
    path[3] = SampleReport.step("Hash", "HASH", "constant", "BY_KEY", growth: [5, 5, 5])
    path.insert(4, SampleReport.step("Array", "ARRAY", "hash_value", "[:a]", growth: [60, 120, 180]))
    inner = holder(path:, class: "Hash", verdict: "growing").tap { |it| it[:verdict][:level] = 1 }
    expect(text(inner)).to match(/└ BY_KEY +Hash, 5 keys$/).and match(/└ \[…\] +Array, 180 entries  \+60, \+60$/)
  end

  it "names all that hold the same together" do
    shared = text(holder(kind: "shared", retained: { exclusive: 0, shared: 1_100_000, cut: 0 },
                         together: [{ name: "Sessions::BY_ID" }, { name: "$sessions" }]))
    expect(shared).to match(/^1\. GROWING  Sessions::ALL, Sessions::BY_ID, \$sessions$/)
    expect(unwrapped(shared)).to match(/fix Removing them from one of these frees nothing, from all of these 1\.1 MB\./)
  end

  it "says what goes with them, and what of it is only reserved" do
    threads = holder(kind: "threads", name: "threads started at app/mailer.rb:7", alike: 12, reserved: 1_000_000,
                     consequences: [{ kind: "finalizers", count: 3, memsize: 120 }], growth: [nil, nil, nil])
    expect(text(threads)).to match(%r{^1\. GROWING  threads started at app/mailer\.rb:7 \(12 threads\)$})
    expect(unwrapped(text(threads))).to include("1.0 MB of it are reserved for stacks", "3 finalizers, 120 B, go with")
  end

  it "promises nothing of what others hold, too" do
    shared = holder(kind: "shared", retained: { exclusive: 0, shared: 1_100_000, cut: 0 })
    expect(unwrapped(text(shared))).to match(/fix Removing these objects frees nothing/)
  end

  it "does not take another Ractor's objects for garbage, from Ruby 4.1 on" do
    root = holder(name: nil, class: "unreachable", kind: "root", address: nil, position: 0,
                  path: [SampleReport.holder_path.first.merge(class: "unreachable")])
    texts = %w[3.4.11 4.0.5 4.1.0 5.0.0].map { |ruby| text(root, recorded: { ruby: }) }
    expect(texts.map { |text| text.include?("Ractor") }).to eq([false, false, true, true])
  end

  it "calls roots what they are" do
    { "global_symbols" => "symbol table", "machine_context" => "stack", "odd" => "root odd" }.each do |category, words|
      root = holder(name: nil, class: category, kind: "root", address: nil, growth: [nil] * 3, position: 0,
                    path: [SampleReport.holder_path.first.merge(class: category)])
      expect(text(root)).to match(/^1\. GROWING  .*#{words}$/)
      expect(text(root)).not_to match(/^   next/)
    end
  end

  it "stays within its columns, whatever the names are, and prints none that would move the cursor" do
    path = SampleReport.holder_path.map { |step| step.merge(class: "#{"Deep::" * 30}\e[2J") }
    long = holder(name: "#{"Very::" * 40}LONG", path:)
    [20, 40, 60, 80, 120].each do |width|
      lines = text(long, width:).lines(chomp: true)
      expect(lines.map { |line| LeakHunter::Report::Format.columns(line) }.max).to be <= width
      expect(lines.join).not_to include("\e")
    end
  end

  it "cuts a long path in the middle: what it begins with and the collection stay" do
    links = Array.new(30) { |number| SampleReport.step("Node#{number}", "OBJECT", "instance_variable", "@next") }
    path = [*SampleReport.holder_path.first(3), *links, *SampleReport.holder_path.drop(3)]
    said = text(holder(path:, position: path.size - 3))
    expect(said).to match(/path    Sessions$/).and match(/└ … +2\d more steps$/).and match(/ALL +Array, 18,000 entries/)
    expect(said).not_to include("Node10")
  end

  it "gives a long name lines of its own, and loses nothing of it" do
    name = "ActiveSupport::Notifications.@notifier.@string_subscribers[\"#{"sql" * 20}\"]#{".@deep" * 30}"
    title = text(holder(name:))[/^1\. GROWING\n.*?(?=\n   rate)/m].lines(chomp: true)
    expect(title.drop(1).map(&:strip).join).to eq(name)
    expect(title.map(&:length).max).to be <= 80
  end

  it "shows the holder of a long path, too" do
    links = Array.new(12) { |number| SampleReport.step("Node#{number}", "OBJECT", "instance_variable", "@next") }
    path = [*SampleReport.holder_path.first(3), *links, *SampleReport.holder_path.drop(3), *links]
    said = text(holder(path:, position: 15))
    expect(said.scan(/… +\d+ more steps/).size).to eq(2)
    expect(said).to match(/└ ALL +Array, 18,000 entries/).and match(/Sessions$/).and match(/Node11$/)
  end

  it "says which Strings are kept only by their parts" do
    pinned = { file: "/srv/shop/lib/import.rb", line: 3, method: nil, gem: "app", count: 2, memsize: 4_000_000 }
    expect(unwrapped(text(holder(pinned:)))).to include("2 Strings, 4.0 MB, kept only by parts", "import.rb:3")
  end

  it "says what lies in the groups' table when asked" do
    expect(text(holder)).not_to include("age (GCs)")
    expect(report(holder).to_s(sites: true)).to include("age (GCs)")
  end

  it "says whether there are leaks" do
    expect(report(holder).leaks?).to be(true)
    expect(report(holder(verdict: "once")).leaks?).to be(false)
    expect(LeakHunter::Report.new(SampleReport.result).leaks?).to be(true)
    expect(LeakHunter::Report.new(SampleReport.result(groups: [])).leaks?).to be(false)
    expect(report(holder).holders.size).to eq(1)
  end
end
