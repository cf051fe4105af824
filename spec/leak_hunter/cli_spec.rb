# frozen_string_literal: true

require "json"
require "stringio"

RSpec.describe LeakHunter::CLI do
  let(:stdout) { StringIO.new }
  let(:stderr) { StringIO.new }

  def run(*argv) = described_class.new(argv, stdout:, stderr:).run

  # What the message must name, whatever its words are.
  def expect_wrong_usage(*argv, words)
    expect(run(*argv)).to eq(2)
    expect(stderr.string).to match(/\Aleak_hunter: .*\nTry: leak_hunter help[ a-z]*\n\z/).and include(*words)
    expect(stderr.string).not_to match(/[^\n[:print:]]/)
    expect(stdout.string).to be_empty
  end

  describe "help" do
    [%w[--help], %w[-h], %w[help]].each do |argv|
      it "lists the commands: #{argv.join(" ")}" do
        expect(run(*argv)).to eq(0)
        expect(stdout.string).to include("diff", "Exit status")
        expect(stderr.string).to be_empty
      end
    end

    [%w[help diff], %w[diff --help], %w[diff -h]].each do |argv|
      it "lists the options of a command: #{argv.join(" ")}" do
        expect(run(*argv)).to eq(0)
        expect(stdout.string).to start_with("Usage: leak_hunter diff [OPTIONS] FIRST SECOND THIRD...\n")
          .and include(*%w[--format --output --identity --sort --top --group-by --only --ignore --threads --[no-]color])
      end
    end

    it "fits into 80 columns" do
      run("help", "diff")
      run("help")
      expect(stdout.string.lines(chomp: true).map(&:length).max).to be <= 80
    end

    [%w[--version], %w[-v], %w[-V], %w[diff -v], %w[top --version a b], %w[help -V]].each do |argv|
      it "knows its version: #{argv.join(" ")}" do
        expect(run(*argv)).to eq(0)
        expect(stdout.string).to eq("leak_hunter #{LeakHunter::VERSION}\n")
      end
    end
  end

  describe "wrong usage" do
    {
      [] => %w[command],
      %w[dif] => %w[dif diff why top flame export help],
      %w[help dif] => %w[dif diff why top flame export help],
      ["\e[31m\n"] => ['\e[31m\n'],
      ["\xFF"] => ['\xFF'],
      %w[diff] => %w[diff three 0],
      %w[diff a b] => %w[diff three 2],
      %w[diff --identity address a b c d] => %w[diff address three 4],
      %w[diff --frobnicate a b c] => %w[--frobnicate],
      ["diff", "--\e[31m\xFF", "a", "b", "c"] => ['--\e[31m\xFF'],
      ["diff", "--format=\e[31m\n", "a", "b", "c"] => ["--format", '\e[31m\n'],
      ["diff", "--top", "\xFF", "a", "b", "c"] => ["--top", '\xFF'],
      ["diff", "--only", "\xFF", "a", "b", "c"] => ['\xFF'],
      ["diff", "--threads", "\e", "a", "b", "c"] => ["--threads", '\e'],
      %w[diff a b c --sort] => %w[--sort],
      %w[diff --sort size a b c] => %w[sort size memsize count bytesize],
      %w[diff --format xml a b c] => %w[--format text classic json xml],
      %w[diff --top many a b c] => %w[--top all many],
      %w[diff --top -1 a b c] => %w[--top all -1],
      %w[diff --threads many a b c] => %w[--threads many],
      %w[diff --threads 0 a b c] => %w[threads 0],
      %w[diff --group-by type,klass a b c] => %w[klass type class],
      %w[diff --only /(/ a b c] => %w[--only /(/],
      %w[diff --identity name a b c] => %w[identity name auto address],
      %w[diff --format classic --group-by gem a b c] => %w[classic --group-by type,file,line],
      %w[--versoin] => ["Did you mean --version?"],
      %w[topp] => ["Did you mean top?"],
      %w[help exprot] => ["Did you mean export?"],
      %w[diff --fromat text] => ["--fromat. Did you mean --format?"],
      %w[diff --identiyt=auto] => ["--identiyt=auto. Did you mean --identity?"],
      %w[top --limt 3] => ["--limt. Did you mean --limit?"],
      %w[diff --format txt] => ["got txt. Did you mean text?"],
      %w[top --by clas] => ["got clas. Did you mean class?"],
      %w[why --format jsno] => ["got jsno. Did you mean json?"],
      %w[export --format fold a] => ["got fold. Did you mean folded?"],
      %w[export --format folded --view site a] => ["Did you mean sites?"],
      %w[diff --by clss a b c] => ["got clss. Did you mean class?"],
      %w[diff --sort memsiz a b c] => ["Did you mean memsize?"],
      %w[diff --holders=few a b c] => %w[--holders all few],
      %w[diff --width 19 a b c] => %w[--width 20 19],
      %w[top --width wide a] => %w[--width wide],
      %w[diff --output /no/such/directory/x a b c] => %w[--output /no/such/directory],
      %w[diff --output / a b c] => ["--output", "/ "]
    }.each do |argv, words|
      it("is status 2: leak_hunter #{argv.map(&:dump).join(" ")}") { expect_wrong_usage(*argv, words) }
    end

    it "never writes over a dump" do
      expect_wrong_usage("diff", __FILE__, "b", "c", "--output", __FILE__, ["--output", __FILE__])
    end
  end

  describe "holders" do
    def diff(*options) = [run("diff", *options, *RealDumps.paths), stdout.string]

    it "are shown unless told otherwise, and as many as asked for" do
      { [] => true, ["--holders"] => true, ["--holders", "all"] => true, ["--holders=1"] => true,
        ["--holders", "0"] => false, ["--holders=0"] => false, ["--no-holders"] => false }.each do |options, shown|
        stdout.truncate(0)
        stdout.rewind
        status, output = diff(*options)
        expect([options, status, output.match?(/^1\. +.*SESSIONS/)]).to eq([options, 0, shown])
      end
    end

    it "are as many in JSON" do
      expect(diff("--format", "json", "--holders", "0").last).to include('"holders":null')
    end
  end

  it "groups by several keys, of which site is three" do
    run("diff", "--format", "json", "--by", "class,site", *RealDumps.paths)
    expect(JSON.parse(stdout.string)["group_by"]).to contain_exactly("class", "file", "line", "method")
    stdout.truncate(0)
    stdout.rewind
    run("diff", "--format", "json", "--group-by", "gem", *RealDumps.paths)
    expect(JSON.parse(stdout.string)["group_by"]).to eq(["gem"])
  end

  describe "dumps that cannot be compared", :tmpdir do
    it "is status 1, with the reason" do
      expect(run("diff", "#{@tmpdir}/1.json", "b", "c")).to eq(1)
      expect(stderr.string).to start_with("leak_hunter: #{@tmpdir}/1.json: ")
      expect(stderr.string.lines.size).to eq(1)
    end
  end

  describe described_class::ProgressBar do
    let(:terminal) { StringIO.new.tap { |io| io.define_singleton_method(:tty?) { true } } }

    def bar(...) = described_class.new(terminal, "reading dumps", ...)

    # The percentages that a terminal showed.
    def shown = terminal.string.scan(/(\d+) %/).flatten.map(&:to_i)

    it "is only there where somebody sees it" do
      expect(described_class.for(terminal, "reading", env: {})).to be_a(described_class)
      expect(described_class.for(terminal, "reading", env: { "TERM" => "dumb" })).to be_nil
      expect(described_class.for(StringIO.new, "reading", env: {})).to be_nil
    end

    it "draws at once, then ten times a second at most, and leaves nothing behind" do
      expect(described_class::INTERVAL).to eq(0.1)
      stub_const("#{described_class}::INTERVAL", 3_600) # however long this takes
      bar = self.bar
      bar.call(15_000_000, 30_000_000)
      bar.call(16_000_000, 30_000_000)
      2.times { bar.finish }
      expect(terminal.string).to eq("\r\e[Kreading dumps [===============               ] 50 %\r\e[K")
    end

    it "bears an empty file and a count beyond the end" do
      bar.call(0, 0)
      expect(terminal.string).to include("[==============================] 100 %")
      bar.call(5, 4)
      expect(terminal.string).to end_with("100 %")
    end

    it "runs once over several steps, and never back" do
      stub_const("#{described_class}::INTERVAL", -1)
      bar = self.bar
      bar.up_to(0.75)
      [[0, 8], [4, 8], [8, 8], [8, 16], [16, 16]].each { |done, total| bar.call(done, total) }
      bar.up_to(1.0)
      [[0, 2], [1, 2], [2, 2]].each { |done, total| bar.call(done, total) }
      expect(shown).to eq([0, 37, 75, 75, 75, 75, 87, 100])
    end

    it "is no wider than the terminal" do
      (20..60).each do |width|
        terminal.truncate(0)
        terminal.rewind
        bar(width:).call(1, 1)
        expect(terminal.string.delete_prefix("\r\e[K").length).to be <= width
      end
    end

    it "wipes nothing when it has drawn nothing" do
      bar.finish
      expect(terminal.string).to be_empty
    end

    it "does not stop the work when the terminal goes away" do
      reader, writer = IO.pipe
      reader.close
      bar = described_class.new(writer, "reading")
      expect { bar.call(1, 2) }.not_to raise_error
      expect { bar.call(2, 2) }.not_to raise_error
      expect { bar.finish }.not_to raise_error
    end
  end
end
