# frozen_string_literal: true

RSpec.describe LeakHunter::Report::Holders do
  step = lambda do |klass, type, kind, name = nil, named_by = nil|
    { address: "0x7f0000000028", class: klass, type:, edge: { kind:, name:, named_by: } }
  end
  path = [
    { address: nil, class: "vm", type: "ROOT", edge: { kind: "root", name: "vm", named_by: "dump" } },
    step["Object", "CLASS", "root", "vm", "dump"], step["Sessions", "MODULE", "constant", "Sessions", "dump"],
    step["Array", "ARRAY", "constant", "ALL", "dump"], step["Session", "OBJECT", "array_element", "[7]", "position"],
    step["String", "STRING", "instance_variable", "@token", "live"]
  ]
  let(:holder) do
    { name: "Sessions::ALL", named_by: "dump", address: "0x7f0000000028", class: "Array", kind: "collection", alike: 1,
      count: 9_000, memsize: 1_100_000, retained: { exclusive: 1_100_000, shared: 0, cut: 3_300_000 },
      growth: [0, 9_000, 18_000], generation: 3, site: { file: nil, line: nil, method: nil, gem: nil },
      entries: { file: "/srv/shop/app/models/session.rb", line: 42, method: "create", gem: "app", count: 9_000 },
      together: [], consequences: [], reserved: 0, keys: nil, groups: [{ index: 0, count: 9_000 }], addresses: [],
      path:, position: 3, fingerprint: "0" * 16, age: 57 }
  end

  def text(*holders, width: 80, **totals)
    result = SampleReport.result(totals:).merge(holders:)
    LeakHunter::Report.new(result).to_s(width:)[/^1\. .*?(?=\n\n)/m]
  end

  it "says what holds how much, what releasing it frees, where it was allocated, and the path from the root" do
    expect(text(holder)).to eq(<<~TEXT.chomp)
      1. Sessions::ALL (Array, 18,000 entries, +9,000, +9,000) holds 9,000 of the
         9,037 leaked objects, 1.1 MB
         removing these entries frees 1.1 MB; clearing the Array frees 3.3 MB
         allocated at /srv/shop/app/models/session.rb:42 (app)
         root → Sessions → ALL Array → […] Session → @token String
    TEXT
  end

  it "names all that hold the same together" do
    shared = text(holder.merge(kind: "shared", retained: { exclusive: 0, shared: 1_100_000, cut: 0 },
                               together: [{ name: "Sessions::BY_ID" }, { name: "$sessions" }]))
    expect(shared.gsub(/\n +/, " ")).to include(
      "), Sessions::BY_ID, $sessions together hold 9,000 of",
      "removing from one of them frees nothing; removing from all of them frees 1.1 MB"
    )
  end

  it "shows the beginning, the holder and the end of a long path" do
    links = Array.new(7) { |number| step["Node", "OBJECT", "instance_variable", "@next#{number}", "live"] }
    long = [*path.first(3), *links, step["Hash", "HASH", "instance_variable", "@query_cache", "live"], *links,
            path.last]
    shown = text(holder.merge(path: long, position: 10)).gsub(/\n +/, " ")
    expect(shown).to end_with(
      "root → Sessions → @next0 Node → @next1 Node → @next2 Node → … → @query_cache Hash → … → " \
      "@next4 Node → @next5 Node → @next6 Node → @token String"
    )
  end

  it "says what goes with them, and what of it is only reserved" do
    threads = holder.merge(kind: "threads", name: "threads started at app/mailer.rb:7", alike: 12, reserved: 1_000_000,
                           consequences: [{ kind: "finalizers", count: 3, memsize: 120 }], growth: [nil, nil, nil])
    expect(text(threads).gsub(/\n +/, " ")).to include(
      "threads started at app/mailer.rb:7 (12 threads) hold 9,000", "of that 1.0 MB are reserved for stacks",
      "3 of their finalizers, 120 B, go with them"
    )
  end

  it "promises nothing of what others hold, too" do
    shared = text(holder.merge(kind: "shared", retained: { exclusive: 0, shared: 1_100_000, cut: 0 }))
    expect(shared.lines[2]).to match(/also referenced elsewhere; 1\.1 MB /)
    expect(shared).not_to include("frees")
  end

  it "counts those alike, those not shown, and the caches that nothing holds" do
    others = Array.new(7) { holder.merge(count: 5, memsize: 20_000, name: nil, kind: "object", class: "Cart") }
    lines = text(holder.merge(alike: 12), *others, cache_count: 37, cache_memsize: 1_480)
    expect(lines.gsub(/\n +/, " ")).to include(
      ", 12 such objects)", "holds 9,000 of the 9,000", "2. an unnamed Cart (18,000", "releasing them frees",
      "3 more holders of 15 objects, 60.0 kB 37 more objects are VM inline caches: 1.5 kB"
    )
    threads = holder.merge(alike: 2, name: "thread-local [:log]")
    expect(text(threads).gsub(/\n +/, " ")).to include(", in 2 threads)")
  end

  it "only counts crumbs" do
    lines = text(holder, *([holder.merge(count: 1, memsize: 40, name: "Crumb")] * 3))
    expect(lines).to end_with("   3 more holders of 3 objects, 120 B").and(satisfy { |it| !it.include?("Crumb") })
  end

  it "does not take another Ractor's objects for garbage, from Ruby 4.1 on" do
    root = holder.merge(name: nil, class: "unreachable", kind: "root", address: nil, position: 0,
                        path: [path.first.merge(class: "unreachable")])
    result = SampleReport.result.merge(holders: [root])
    texts = %w[3.4.11 4.0.5 4.1.0 5.0.0].map do |ruby|
      dumps = result[:dumps].map { |dump| dump.merge(recorded: { ruby: }) }
      LeakHunter::Report.new(result.merge(dumps:)).to_s
    end
    expect(texts.map { |text| text.include?("Ractor") }).to eq([false, false, true, true])
  end

  it "calls roots what they are" do
    root = holder.merge(name: "at_exit blocks", class: "end_proc", kind: "root", address: nil, growth: [nil] * 3,
                        path: [path.first.merge(class: "end_proc")], position: 0,
                        retained: { exclusive: 50, shared: 20, cut: 0 })
    expect(text(root)).to start_with("1. at_exit blocks hold 9,000 of the")
      .and include("frees 50 B; 20 B more ")
    { "global_symbols" => "symbol table", "machine_context" => "stack", "odd" => "root odd" }.each do |category, words|
      expect(text(root.merge(name: nil, class: category))).to match(/\A1\. .*#{words} /)
    end
  end

  it "stays within its columns, whatever the names are, and prints none that would move the cursor" do
    long = holder.merge(name: "#{"Very::" * 40}LONG", path: path.map { |it| it.merge(class: "#{"Deep::" * 30}\e[2J") })
    [60, 80, 120].each do |width|
      lines = text(long, width:).lines(chomp: true)
      expect(lines.map(&:length)).to all(be <= width)
      expect(lines.join).not_to include("\e")
    end
  end

  it "shortens a long way from both ends" do
    deep = holder.merge(path: path + (Array.new(30) do |n|
                                        step["Node#{n}", "OBJECT", "instance_variable", "@next", "live"]
                                      end))
    expect(text(deep)).to include("… →").and include("Node29").and(satisfy { |lines| !lines.include?("Node10") })
  end
end
