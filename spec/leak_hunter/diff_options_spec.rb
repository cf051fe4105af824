# frozen_string_literal: true

require "pathname"

RSpec.describe LeakHunter::Diff do
  def check(**options) = LeakHunter::Diff::Options.check(options)

  describe "options" do
    it "has a default for each, in the form the native side takes" do
      expect(check).to eq(identity: "auto", group_by: %w[type class file line method], sort: "memsize", top: nil,
                          only: [], ignore: [], threads: nil, samples: 5, holders: false, flame: false, redact: nil,
                          timings: false, progress: nil)
    end

    it "takes Symbols and Strings alike" do
      expect(check(identity: "address", sort: :count)).to include(identity: "address", sort: "count")
      expect(check(group_by: [:gem, "line", :gem])).to include(group_by: %w[gem line])
      expect(check(group_by: :gem)).to include(group_by: %w[gem])
    end

    it "takes one pattern or many, or none" do
      expect(check(only: "Foo", ignore: [:Bar, "lib/*.rb"]))
        .to include(only: [%w[text Foo]], ignore: [%w[text Bar], %w[text lib/*.rb]])
      expect(check(only: nil)).to include(only: [])
    end

    {
      { identity: :adress } => /identity: :adress is not one of auto, address\. Did you mean address\?/,
      { identity: nil } => /identity: nil is not one of/,
      { sort: :size } => /sort: :size is not one of memsize, count, bytesize/,
      { group_by: [] } => /group_by: name at least one of/,
      { group_by: %w[type klass] } => /group_by: "klass" is not one of type, class/,
      { top: -1 } => /top: expected 0 to 4294967295 or nil, got -1/,
      { top: 1.5 } => /top: expected/,
      { top: 1 << 80 } => /top: expected/,
      { threads: 0 } => /threads: expected 1 to 1024, :all or nil, got 0/,
      { flame: true } => /flame: needs holders: true/,
      { samples: nil } => /samples: expected 0 to 1000000, got nil/,
      { progress: 1 } => /progress: expected something with a call method, got 1/,
      { only: 3 } => /only: expected a String or a Regexp, got 3/,
      { ignore: "" } => /ignore: a pattern is empty/,
      { only: "\xFF" } => /is not valid text/,
      { only: "\xFF".b } => /is not valid text/
    }.each do |options, message|
      it "refuses #{options.inspect}" do
        expect { check(**options) }.to raise_error(LeakHunter::UsageError, message)
      end
    end

    it "names unknown options, what may have been meant, and all there are" do
      expect { check(grup_by: 1, foo: 2) }.to raise_error(
        LeakHunter::UsageError,
        "unknown options: grup_by, foo. Did you mean group_by? The options are: " \
        "identity, group_by, sort, top, only, ignore, threads, samples, holders, flame, redact, timings, progress"
      )
    end
  end

  describe "regular expressions" do
    def rust(regexp) = check(only: regexp)[:only].first

    {
      /a.b/ => "(?m)a.b",
      /^Foo$/im => "(?mis)^Foo$",
      /a b # c/x => "(?mx)a b # c",
      /[ #]/x => "(?mx)[\\x20\\x23]",
      /\h[\h_]\H/ => "(?m)[0-9A-Fa-f][0-9A-Fa-f_][^0-9A-Fa-f]",
      /a\Z/ => "(?m)a(?:\\n?\\z)",
      %r{\e\ /}m => "(?ms)\\x1B\\x20/",
      /#{/a b/i}(?m:c)(?m-ix:.)(?x-m:d)/ => "(?m)(?i-sx:a b)(?s:c)(?s-ix:.)(?x-s:d)",
      /[(?m:]/ => "(?m)[(?m:]",
      /é\é/ => "(?m)éé"
    }.each do |ruby, source|
      it "writes #{ruby.inspect} as #{source}" do
        expect(rust(ruby)).to eq(["regex", source])
      end
    end

    it "translates what Regexp.union and Regexp.escape make" do
      expect(rust(Regexp.union("a b.c", /d/i))).to eq(["regex", "(?m)a\\x20b\\.c|(?i-sx:d)"])
    end
  end

  describe "dumps" do
    it "are Strings, Pathnames or whatever has to_path" do
      ["no/1.json", Pathname("no/1.json"), Struct.new(:to_path).new("no/1.json")].each do |dump|
        expect { described_class.call(dump, dump, dump) }
          .to raise_error(LeakHunter::DumpUnreadable, /no such file/) { |error| expect(error.path).to eq("no/1.json") }
      end
    end

    it "are nothing else" do
      expect { described_class.call("a", nil, "c") }
        .to raise_error(LeakHunter::UsageError, "second dump: expected a path or a dump, got nil")
      expect { described_class.call("a", "b", "") }
        .to raise_error(LeakHunter::UsageError, "third dump: the path is empty")
      expect { described_class.call("a\0", "b", "c") }.to raise_error(LeakHunter::UsageError, /first dump: .*null byte/)
    end

    it "are not touched before the options are right" do
      expect { LeakHunter.diff("a", "b", "c", to: 3) }.to raise_error(LeakHunter::UsageError, /unknown option: to\./)
    end
  end
end
