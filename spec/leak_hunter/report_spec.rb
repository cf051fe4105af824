# frozen_string_literal: true

require "json"
require "stringio"

RSpec.describe LeakHunter::Report do
  def report(**result) = described_class.new(SampleReport.result(**result))

  def group(**keys) = SampleReport.group(**keys)

  def text(width: 80, top: 20, **result) = report(**result).to_s(width:, top:)

  # A text without its line breaks.
  def unwrapped(text) = text.split.join(" ")

  describe "the text" do
    it "says what leaked, where it was allocated, and how certain that is" do
      headline, table, evidence, *rest = text.split("\n\n")
      expect(rest).to be_empty
      expect(unwrapped(headline)).to match(/\A9,037 objects \(1\.2 MB\) .* second .* third\. .*0\.9 % .*132 MB/)
      rows = [
        /\A +objects +bytes +share +age \(GCs\)\z/, /\ASession +9,000 +1\.1 MB +94\.8 % +16-29\z/,
        "  /srv/shop/app/models/session.rb:42 in create (app)", /\AString +37 +60\.5 kB +5\.2 % +27\z/,
        "  lib/rack/utils.rb:7 in unescape (rack 2.2.6)", /\Aall 2 groups +9,037 +1\.2 MB +100\.0 %\z/
      ]
      expect(table.lines(chomp: true)).to match(rows)
      expect(table.lines(chomp: true).map(&:length).max).to eq(80)
      expect(unwrapped(evidence)).to match(/exact.* generation.*1,204 objects/)
    end

    it "says that nothing leaked, and what it cannot see" do
      expect(unwrapped(text(groups: []))).to match(/\ANo leak found.* third\. .*C extensions/)
    end

    it "does not say so when it cannot know" do
      withheld = { untraced_moved: 3, tracing_lost: 0, boundary: 0 }
      expect(unwrapped(text(groups: [], evidence: { withheld: }))).to match(/\ANo leak found, but .*not certain/)
    end

    it "counts one object as one" do
      lines = unwrapped(text(groups: [group(count: 1)], evidence: { slots_reused: 1 }))
      expect(lines).to match(/\A1 object \(1\.1 MB\) was .* is /).and match(/\. 1 object is in /)
      expect(lines).not_to include("all 1 group")
    end

    it "says what was filtered, also when that was all" do
      filtered = { filtered_count: 1_203, filtered_memsize: 45_000 }
      expect(unwrapped(text(totals: filtered))).to match(/\A9,037 objects .* 1,203 objects \(45\.0 kB\)/)
      expect(unwrapped(text(groups: [], totals: filtered)))
        .to match(/\ANo leak found .*filters.* 1,203 objects \(45\.0 kB\)/)
    end

    it "adds up what it does not show" do
      groups = Array.new(25) { |index| group(line: index, count: 10, memsize: 1_000) }
      expect(text(groups:,
                  top: 3)).to match(/^22 more +220 +22\.0 kB +88\.0 %\nall 25 groups +250 +25\.0 kB +100\.0 %$/)
      expect(text(groups:).scan("session.rb").size).to eq(20)
      expect(text(groups:, top: nil).scan("session.rb").size).to eq(25)
    end

    it "adds up what the diff itself has cut off" do
      expect(text(totals: { groups: 1_000, count: 20_000, memsize: 2_160_480 }))
        .to match(/^998 more +10,963 +1\.0 MB +46\.3 %\nall 1,000 groups +20,000 +2\.2 MB +100\.0 %$/)
    end

    it "promises no certainty where the addresses decided" do
      by_address = unwrapped(text(identity: "address"))
      expect(by_address).to match(/\A9,037 objects .* address .*by address only/)
      expect(by_address).not_to match(/exact|certain|1,204/)
      expect(unwrapped(text(identity: "address+class", evidence: { confidence: "low" })))
        .to match(/not certain.* address and class/)
    end
  end

  describe "how certain it is" do
    def evidence(identity: "generation", **evidence)
      unwrapped(text(identity:, evidence: { slots_reused: 0, untraced: 0 }.merge(evidence)).split("\n\n").last)
    end

    # What the paragraph has in it, in this order, whatever its words are.
    {
      {} => /\AThis is exact: [^.]+\.\z/,
      { untraced: 431, survivors: { untraced: 0 } } => /\AThis is exact: [^.]+\.\z/,
      { confidence: "high", identity: "generation+address", untraced: 431, survivors: { untraced: 12 } } =>
        /\AThis is almost certain: [^.]+\. 431 of 451,329 objects .* 12 .* address and class\.\z/,
      { confidence: "low", reasons: %w[mostly_untraced untraced] } => /\AThis is not certain: [^.]+ not traced\.\z/,
      { confidence: "low", reasons: %w[tracing_lost], withheld: { tracing_lost: 9 } } =>
        /\AThis is not certain: [^.]+\. Left out, [^.:]+: 9 without allocation data [^.]+\.\z/,
      { confidence: "low", reasons: %w[tracing_unreliable],
        compaction: { first_to_second: false, second_to_third: true, source: "recorded" } } =>
        /\AThis is not certain: .*Ruby before 3\.4.* compacted between the second and the third dump\.\z/,
      { confidence: "high", withheld: { untraced_moved: 9_038 } } =>
        /\AThis is not certain: [^.]+\. Left out, [^.:]+: 9,038 not traced[^.]+\.\z/,
      { confidence: "high", withheld: { untraced_moved: 2, tracing_lost: 0, boundary: 3 },
        compaction: { first_to_second: true, second_to_third: true, source: "inferred" } } =>
        /\AThis is almost certain: .* first and the second .*, and between the second and the third .*: 2 .*; 3 /,
      { compaction: { first_to_second: false, second_to_third: true, source: "recorded" } } =>
        /\AThis is exact: .* the second and the third dump; [^.]+\.\z/,
      { confidence: "high", skipped_lines: 1, same_process: "unknown" } =>
        /\AThis is almost certain: [^.]+\. 1 line .*skipped\. .*which process[^.]+\.\z/
    }.each do |given, structure|
      it("says so: #{given}") { expect(evidence(**given)).to match(structure) }
    end
  end

  it "says how to get a better answer where nothing was traced" do
    dumps = SampleReport.result[:dumps].map { |dump| dump.merge(traced: 0) }
    result = SampleReport.result(identity: "address+class", evidence: { confidence: "low" }).merge(dumps:)
    expect(unwrapped(described_class.new(result).to_s)).to match(/Use LeakHunter\.dump!/)
    expect(text(identity: "address+class", evidence: { confidence: "low" })).not_to include("Use LeakHunter.dump!")
  end

  it "says that paths may lack names where the time for them was over" do
    with_names = ->(complete) { SampleReport.with_holders(recorded: { names_complete: complete }) }
    text = ->(complete) { unwrapped(described_class.new(with_names[complete]).to_s) }
    expect(text[false]).to match(/time for reading names .* some paths of the last dump are not named/)
    expect([text[true], text[nil]]).not_to include(match(/time for reading names/))
  end

  it "says between which of many dumps objects moved" do
    result = SampleReport.result(evidence: { compaction: { first_to_second: true, second_to_third: false,
                                                           source: "recorded" } })
    four = result.merge(dumps: [*result[:dumps], result[:dumps].last])
    expect(unwrapped(described_class.new(four).to_s)).to include("between the first and the last but one dump")
  end

  describe "groups" do
    def cache(**keys) = group(type: "IMEMO", count: 2, memsize: 80, cache_count: 2, cache_memsize: 80, **keys)

    def rows(*groups, width: 80) = text(groups:, width:).split("\n\n")[1].lines(chomp: true)

    it "takes the last part of a long constant and of a long path" do
      rows = rows(group(class: "ActiveRecord::ConnectionAdapters::PostgreSQL::OID::TypeMapInitializer",
                        file: "/srv/#{"long/" * 20}session.rb", gem: "app"))
      expect(rows[1]).to match(/\A\.\.\.\S+::OID::TypeMapInitializer   /)
      expect(rows[2]).to match(%r{\A  \.\.\.\S+/long/session\.rb:42 in create \(app\)\z})
        .and have_attributes(length: 80)
    end

    it "shows files of gems, libraries and the application as their authors know them" do
      files = {
        "/b/gems/nokogiri-1.13.10-x86_64-linux/lib/nokogiri/xml.rb" => ["nokogiri 1.13.10", "lib/nokogiri/xml.rb"],
        "/b/bundler/gems/rails-0b1f4c2d9a33/record/lib/base.rb" => ["rails 0b1f4c2d9a33", "record/lib/base.rb"],
        "/usr/lib/ruby/vendor_ruby/rack/utils.rb" => %w[rack rack/utils.rb],
        "/usr/lib/ruby/3.1.0/json/common.rb" => %w[stdlib json/common.rb],
        "/opt/lib/ruby/site_ruby/3.4.0/rubygems.rb" => %w[stdlib rubygems.rb],
        "<internal:kernel>" => %w[ruby <internal:kernel>],
        "#{Dir.pwd}/app/models/user.rb" => %w[app app/models/user.rb],
        "(eval)" => [nil, "(eval)"]
      }
      files.each do |file, (gem, shown)|
        expect(rows(group(file:, gem:))[2]).to eq("  #{shown}:42 in create#{" (#{gem})" if gem}")
      end
    end

    it "names what has no class, no place, no birth" do
      expect(rows(group(type: "DATA", class: "VM/thread"))[1]).to start_with("VM/thread (DATA)  ")
      expect(rows(group(type: "IMEMO", class: "iseq"))[1]).to start_with("iseq (Ruby internal)  ")
      expect(rows(group(type: "ARRAY", class: nil))[1]).to start_with("ARRAY (Ruby internal)  ")
      untraced = rows(group(file: nil, line: nil, method: nil, gem: nil, generations: nil))
      expect(untraced[1]).to match(/ -\z/)
      expect(untraced[2]).to match(/\A  \S.*not traced/)
    end

    it "sums up the caches that the VM makes for each place in the code" do
      caches = %w[callcache constcache callinfo VM/cc_table].map { |name| cache(class: name) }
      expected = [/\AString +37 /, /unescape/, /\AVM inline caches +8 +320 B +0\.5 %\z/, /\Aall 5 groups +45 /]
      expect(rows(caches[0], SampleReport.string, *caches.drop(1)).drop(1)).to match(expected)
      expect(rows(caches[0])[1..]).to match([/\AVM inline caches +2 +80 B +100\.0 %\z/])
    end

    it "takes the caches out of groups that have other objects, too" do
      mixed = SampleReport.string.merge(count: 40, cache_count: 3, memsize: 60_600, cache_memsize: 120)
      expect(rows(mixed).drop(1)).to match([/\AString +37 +60\.5 kB +99\.8 %/, /unescape/,
                                            /\AVM inline caches +3 +120 B +0\.2 %\z/, /\Aall 1 group +40 +60\.6 kB/])
    end

    it "says all it knows, whatever the groups are by" do
      values = { type: "STRING", class: "String", file: "/a.rb", line: 37, method: "call", gem: "app",
                 generation: 1_234 }
      numbers = { count: 1, bytesize: 0, memsize: 40, generations: nil, addresses: [] }
      (1..values.size).flat_map { |size| values.keys.combination(size).to_a }.each do |keys|
        shown = rows({ **values.slice(*keys), **numbers })
        said = keys.include?(:class) ? keys - [:type] : keys
        expect(shown.join).to include(*said.map { |key| values[key].to_s.sub("1234", "GC 1,234") })
        expect(shown).to all(match(/\S/))

        unknown = rows({ **keys.to_h { |key| [key, nil] }, **numbers })
        expect(unknown[1]).to match(/\A(unknown|allocation site unknown) /)
      end
    end
  end

  describe "width" do
    let(:groups) do
      names = ["漢字クラス" * 12, "Ünïcödé#{"x" * 90}", "👍" * 60, "e\u0301" * 90, "A::B" * 30, "S", "\e[31mred\n\u202Etxt"]
      names.each_with_index.map do |name, index|
        group(class: name, file: "/#{name * 3}/x.rb", method: name, count: 10**(index * 3), memsize: 10**(index * 3),
              generations: [1, 2], gem: [name, "app", nil][index % 3])
      end
    end

    [20, 40, 59, 60, 72, 80, 100, 120, 200].each do |width|
      it "keeps every line within #{width} columns" do
        lines = text(groups:, width:).lines(chomp: true)
        expect(lines.map { |line| described_class::Format.columns(line) }.max).to be <= width
      end
    end

    it "refuses a width it cannot keep" do
      expect { text(width: 19) }.to raise_error(LeakHunter::UsageError, /width.*20.*19/)
      expect { text(width: nil) }.to raise_error(LeakHunter::UsageError)
    end

    it "lets no name of a dump steer the terminal" do
      expect(text(groups:)).to include('\e[31mred\n\u202Etxt').and match(/\A[^\e\u202E]*\z/)
      expect(report(groups:).to_classic).to match(/\A[^\e\u202E]*\z/)
    end
  end

  describe "colour" do
    def terminal = StringIO.new.tap { |io| io.define_singleton_method(:tty?) { true } }

    def wanted?(choice, **env) = LeakHunter::Terminal.color?(choice, env: env.transform_keys(&:to_s))

    it "is there when asked for, and changes nothing else" do
      coloured = report.to_s(color: true)
      expect(coloured).to include("\e[1m9,037 objects\e[0m", "\e[1mSession\e[0m")
      expect(coloured.gsub(/\e\[[\d;]*m/, "")).to eq(report.to_s)
    end

    it "is not there unasked: a String does not know where it goes" do
      expect(report.to_s).not_to include("\e")
    end

    it "asks the IO it is told, and heeds NO_COLOR and FORCE_COLOR" do
      expect(wanted?(terminal)).to be(true)
      expect(wanted?(StringIO.new)).to be(false)
      expect(wanted?(terminal, NO_COLOR: "1")).to be(false)
      expect(wanted?(terminal, NO_COLOR: "")).to be(true)
      expect(wanted?(terminal, TERM: "dumb")).to be(false)
      expect(wanted?(StringIO.new, FORCE_COLOR: "1")).to be(true)
      expect(wanted?(terminal, FORCE_COLOR: "0")).to be(false)
      expect(wanted?(terminal, FORCE_COLOR: "1", NO_COLOR: "1")).to be(false)
      expect(wanted?(true, NO_COLOR: "1")).to be(true)
    end
  end

  describe "the classic format" do
    it "merges by type and place, most objects first" do
      groups = [group(count: 2, bytesize: 0, memsize: 80), SampleReport.string,
                group(class: "Other", method: "x", count: 40, bytesize: 1, memsize: 1_600),
                group(type: "IMEMO", file: nil, line: nil, count: 1, memsize: 40)]
      expect(report(groups:).to_classic).to eq(<<~TEXT)
        Retained 42 OBJECT objects of size 1/1680 at: /srv/shop/app/models/session.rb:42
        Retained 37 STRING objects of size 59000/60480 at: /var/lib/gems/3.1.0/gems/rack-2.2.6/lib/rack/utils.rb:7
        Retained 1 IMEMO objects of size 0/40 at: :

        Total Size: 59001/62200
      TEXT
    end

    it "sorts by what is asked for" do
      expect(report.to_classic(sort: :bytesize)).to start_with("Retained 37 STRING")
      expect { report.to_classic(sort: :class) }.to raise_error(LeakHunter::UsageError, /sort.*class.*count/)
    end

    it "needs type and place" do
      expect { report(group_by: %w[class gem]).to_classic }
        .to raise_error(LeakHunter::UsageError, /type, file, line.*class, gem/)
    end

    it "has a total when nothing leaked" do
      expect(report(groups: []).to_classic).to eq("\nTotal Size: 0/0\n")
    end
  end

  describe "data" do
    it "is the Hash it was given" do
      result = SampleReport.result
      expect(described_class.new(result).to_h).to equal(result)
    end

    it "is JSON, also inside of other JSON, and comes back" do
      result = SampleReport.result
      json = JSON.generate([described_class.new(result)])
      back = JSON.parse(json, symbolize_names: true).first
      expect(back).to eq(result)
      expect(described_class.new(back).to_s).to eq(report.to_s)
      expect(JSON.pretty_generate(report)).to include("\n  \"schema\": 1")
    end

    it "is short in irb" do
      expect(report.inspect).to eq("#<LeakHunter::Report groups=2 objects=9037 memsize=1160480>")
    end

    it "refuses what is no result" do
      [nil, "x", {}, [{}]].each do |other|
        expect { described_class.new(other) }
          .to raise_error(LeakHunter::UsageError, /LeakHunter\.diff/)
      end
    end
  end

  describe described_class::Format do
    {
      0 => "0 B", 1 => "1 B", 999 => "999 B", 1_000 => "1.0 kB", 99_949 => "99.9 kB", 99_950 => "100 kB",
      999_499 => "999 kB", 999_950 => "1.0 MB", 1_234_567_890 => "1.2 GB", (2**64) - 1 => "18.4 EB"
    }.each { |bytes, text| it("writes #{bytes} bytes as #{text}") { expect(described_class.bytes(bytes)).to eq(text) } }

    { 0 => "0", 999 => "999", 1_000 => "1,000", 1_234_567 => "1,234,567" }.each do |number, text|
      it("writes #{number} as #{text}") { expect(described_class.count(number)).to eq(text) }
    end

    it "calls only the whole 100 %" do
      expect(described_class.percent(9_999, 10_000)).to eq("99.9 %")
      expect(described_class.percent(1, 1)).to eq("100.0 %")
      expect(described_class.percent(1, 100_000)).to eq("<0.1 %")
      expect(described_class.percent(0, 5)).to eq("0.0 %")
      expect(described_class.percent(0, 0)).to eq("-")
    end
  end
end
