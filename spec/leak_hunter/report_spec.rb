# frozen_string_literal: true

require "json"
require "stringio"

RSpec.describe LeakHunter::Report do
  def report(**result) = described_class.new(SampleReport.result(**result))

  def group(**keys) = SampleReport.group(**keys)

  def text(width: 80, top: 20, **result) = report(**result).to_s(width:, top:)

  describe "the text" do
    it "says what leaked, where it was made, and how sure that is" do
      expect(text).to eq(<<~TEXT)
        9,037 objects (1.2 MB) were born between the first and the second dump and are
        still there in the third. That is 0.9 % of the third dump's 132 MB.

                                                      objects    bytes    share  GCs old
        Session                                         9,000   1.1 MB   94.8 %    16-29
          /srv/shop/app/models/session.rb:42 in create (app)
        String                                             37  60.5 kB    5.2 %       27
          lib/rack/utils.rb:7 in unescape (rack 2.2.6)
        all 2 groups                                    9,037   1.2 MB  100.0 %

        This is exact: objects were told apart by when they were born, not by their
        address. 12,431 of 463,329 records were untraced; none of them is among these.
        1,204 objects sit in reused slots; a diff by address alone misses them.
      TEXT
    end

    it "says clearly that nothing leaked, and what it cannot see" do
      expect(text(groups: [])).to start_with(<<~TEXT)
        No leak found: no object that was born between the first and the second dump is
        still there in the third. Memory that C code holds outside of Ruby's heap is not
        in a dump.
      TEXT
    end

    it "does not say so when it cannot know" do
      expect(text(groups: [], evidence: { withheld: { untraced_moved: 3, tracing_lost: 0, boundary: 0 } }))
        .to start_with("No leak is certain, but there may be one: see what was left out.\n\nThis is not certain: more")
    end

    it "counts one object as one" do
      lines = text(groups: [group(count: 1)], evidence: { slots_reused: 1 })
      expect(lines).to start_with("1 object (1.1 MB) was born between the first and the second dump and is still\n")
      expect(lines).to include("One object sits in a reused slot").and include("\nSession   ")
      expect(lines).not_to include("all 1 group")
    end

    it "says what was filtered, also when that was all" do
      filtered = { filtered_count: 1_203, filtered_memsize: 45_000 }
      expect(text(totals: filtered)).to include("The filters\nleft out 1,203 objects (45.0 kB).")
      expect(text(groups: [], totals: filtered))
        .to start_with("No leak found: nothing new in the third dump passes the filters")
    end

    it "adds up what it does not show" do
      groups = Array.new(25) { |index| group(line: index, count: 10, memsize: 1_000) }
      expect(text(groups:, top: 3)).to include(<<~TEXT)
        22 more                                           220  22.0 kB   88.0 %
        all 25 groups                                     250  25.0 kB  100.0 %
      TEXT
      expect(text(groups:).scan("session.rb").size).to eq(20)
      expect(text(groups:, top: nil).scan("session.rb").size).to eq(25)
    end

    it "adds up what the diff itself has cut off" do
      expect(text(totals: { groups: 1_000, count: 20_000, memsize: 2_160_480 })).to include(<<~TEXT)
        998 more                                       10,963   1.0 MB   46.3 %
        all 1,000 groups                               20,000   2.2 MB  100.0 %
      TEXT
    end

    it "promises no certainty where the addresses decided" do
      expect(text(identity: "address"))
        .to include("are in the second and the third dump at an address that\nthe first does not have")
        .and include("Compared by address alone, as the classic script does")
      expect(text(identity: "address").lines.last).not_to include("misses them")
      expect(text(identity: "address+class", evidence: { confidence: "low" }))
        .to include("Not certain: nothing was traced")
    end
  end

  describe "how sure it is" do
    def evidence(identity: "generation", **evidence)
      text(identity:, evidence: { slots_reused: 0, untraced: 0 }.merge(evidence)).split("\n\n").last.tr("\n", " ").strip
    end

    {
      {} => "This is exact: objects were told apart by when they were born, not by their address.",
      { confidence: "high", identity: "generation+address", untraced: 431, survivors: { untraced: 12 } } =>
        "This is nearly certain: objects were told apart by when they were born, where that is known. " \
        "431 of 451,329 records were untraced; 12 of them are among these, told apart by address and class.",
      { confidence: "low", reasons: %w[mostly_untraced untraced] } =>
        "This is not certain: most of these objects are untraced.",
      { confidence: "low", reasons: %w[tracing_lost], withheld: { tracing_lost: 9 } } =>
        "This is not certain: more had to be left out than is shown. Left out, because nothing can tell whether they " \
        "are new: 9 without the record of their birth (tracing was stopped, or compaction dropped it).",
      { confidence: "low", reasons: %w[tracing_unreliable],
        compaction: { first_to_second: false, second_to_third: true, source: "recorded" } } =>
        "This is not certain: where objects moved, Ruby before 3.4 forgets or mixes up where and when they were " \
        "made. The heap was compacted between the second and the third dump.",
      { confidence: "high", withheld: { untraced_moved: 9_038 } } =>
        "This is not certain: more had to be left out than is shown. Left out, because nothing can tell whether they " \
        "are new: 9,038 untraced, and may only have moved.",
      { confidence: "high", withheld: { untraced_moved: 2, tracing_lost: 0, boundary: 3 },
        compaction: { first_to_second: true, second_to_third: true, source: "inferred" } } =>
        "This is nearly certain: objects were told apart by when they were born, where that is known. The heap was " \
        "compacted between the first and the second dump, and between the second and the third dump, it seems. Left " \
        "out, because nothing can tell whether they are new: 2 untraced, and may only have moved; 3 born in the very " \
        "garbage collection of a dump, and may only have moved.",
      { compaction: { first_to_second: false, second_to_third: true, source: "recorded" } } =>
        "This is exact: objects were told apart by when they were born, not by their address. The heap was compacted " \
        "between the second and the third dump; this comparison does not mind.",
      { confidence: "high", skipped_lines: 1, same_process: "unknown" } =>
        "This is nearly certain: objects were told apart by when they were born, where that is known. " \
        "1 line could not be read and was skipped. The dumps do not say which process they are of."
    }.each do |given, sentence|
      it("says: #{sentence[0, 60]} … #{given.keys.join(", ")}") { expect(evidence(**given)).to eq(sentence) }
    end
  end

  describe "groups" do
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
      expect(untraced[2]).to eq("  place unknown, not traced")
    end

    it "sums up the caches that the VM makes for each place in the code" do
      caches = %w[callcache constcache callinfo].map { |name| group(type: "IMEMO", class: name, count: 2, memsize: 80) }
      expected = [/\AString +37 /, /unescape/, /\A3 groups of call caches \(Ruby internal\) +6 +240 B +0\.4 %\z/,
                  /\Aall 4 groups +43 /]
      expect(rows(caches[0], SampleReport.string, *caches.drop(1)).drop(1)).to match(expected)
      expect(rows(caches[0])[1..]).to match([/\A1 group of call caches/])
    end

    it "says all it knows, whatever the groups are by" do
      values = { type: "STRING", class: "String", file: "/a.rb", line: 37, method: "call", gem: "app",
                 generation: 1_234 }
      numbers = { count: 1, bytesize: 0, memsize: 40, generations: nil, addresses: [] }
      (1..values.size).flat_map { |size| values.keys.combination(size).to_a }.each do |keys|
        shown = rows({ **values.slice(*keys), **numbers })
        said = keys.include?(:class) ? keys - [:type] : keys
        expect(shown.join).to include(*said.map { |key| values[key].to_s.sub("1234", "born in GC 1,234") })
        expect(shown).to all(match(/\S/))

        unknown = rows({ **keys.to_h { |key| [key, nil] }, **numbers })
        expect(unknown[1]).to match(/\A(unknown|place unknown, not traced) /)
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

    [60, 72, 80, 100, 120, 200].each do |width|
      it "keeps every line within #{width} columns" do
        lines = text(groups:, width:).lines(chomp: true)
        expect(lines.map { |line| described_class::Format.columns(line) }.max).to be <= width
      end
    end

    it "refuses a width it cannot keep" do
      expect { text(width: 59) }.to raise_error(LeakHunter::UsageError, /width: expected 60 or more, got 59/)
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
      expect { report.to_classic(sort: :class) }.to raise_error(LeakHunter::UsageError, /sort: :class is not one of/)
    end

    it "needs type and place" do
      expect { report(group_by: %w[class gem]).to_classic }
        .to raise_error(LeakHunter::UsageError,
                        "the classic format needs groups by type, file and line, these are by class, gem")
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
          .to raise_error(LeakHunter::UsageError, /expected a result of LeakHunter.diff/)
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
