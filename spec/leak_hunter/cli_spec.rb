# frozen_string_literal: true

require "stringio"

RSpec.describe LeakHunter::CLI do
  let(:stdout) { StringIO.new }
  let(:stderr) { StringIO.new }

  def run(*argv) = described_class.new(argv, stdout:, stderr:).run

  def expect_wrong_usage(*argv, message)
    expect(run(*argv)).to eq(2)
    expect(stderr.string).to start_with("leak_hunter: ").and include(message, "Try: leak_hunter help")
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
        expect(stdout.string).to start_with("Usage: leak_hunter diff [OPTIONS] FIRST SECOND THIRD\n")
          .and include(*%w[--format --output --identity --sort --top --group-by --only --ignore --threads --[no-]color])
      end
    end

    it "fits into 80 columns" do
      run("help", "diff")
      run("help")
      expect(stdout.string.lines(chomp: true).map(&:length).max).to be <= 80
    end

    it "knows its version" do
      expect(run("--version")).to eq(0)
      expect(stdout.string).to eq("leak_hunter #{LeakHunter::VERSION}\n")
    end
  end

  describe "wrong usage" do
    {
      [] => "no command given",
      %w[dif] => '"dif" is not a command. The commands are: diff, why, top, flame, export, help',
      %w[help dif] => '"dif" is not a command',
      %w[diff] => "diff takes three dumps, got 0",
      %w[diff a b c d] => "diff takes three dumps, got 4",
      %w[diff --frobnicate a b c] => "invalid option: --frobnicate",
      %w[diff a b c --sort] => "missing argument: --sort",
      %w[diff --sort size a b c] => 'sort: "size" is not one of memsize, count, bytesize',
      %w[diff --format xml a b c] => "--format: expected text, classic, json, got xml",
      %w[diff --top many a b c] => "--top: expected a number or all, got many",
      %w[diff --top -1 a b c] => "--top: expected a number or all, got -1",
      %w[diff --threads many a b c] => "invalid argument: --threads many",
      %w[diff --group-by type,klass a b c] => '"klass" is not one of type, class',
      %w[diff --only /(/ a b c] => "/(/ is no regular expression",
      %w[diff --identity name a b c] => 'identity: "name" is not one of auto, address',
      %w[diff --format classic --group-by gem a b c] => "--format classic groups by type,file,line",
      %w[diff --output /no/such/folder/x a b c] => "there is no folder /no/such/folder",
      %w[diff --output / a b c] => "/ is a folder"
    }.each do |argv, message|
      it("is status 2: leak_hunter #{argv.join(" ")}") { expect_wrong_usage(*argv, message) }
    end

    it "never writes over a dump" do
      expect_wrong_usage("diff", __FILE__, "b", "c", "--output", __FILE__, "is one of the dumps")
    end
  end

  describe "dumps that cannot be compared", :tmpdir do
    it "is status 1, with the reason" do
      expect(run("diff", "#{@tmpdir}/1.json", "b", "c")).to eq(1)
      expect(stderr.string).to eq("leak_hunter: #{@tmpdir}/1.json: no such file\n")
    end
  end

  describe described_class::ProgressBar do
    let(:terminal) { StringIO.new.tap { |io| io.define_singleton_method(:tty?) { true } } }

    it "is only there where somebody sees it" do
      expect(described_class.for(terminal, env: {})).to be_a(described_class)
      expect(described_class.for(terminal, env: { "TERM" => "dumb" })).to be_nil
      expect(described_class.for(StringIO.new, env: {})).to be_nil
    end

    it "draws at once, then ten times a second at most, and leaves nothing behind" do
      bar = described_class.new(terminal)
      bar.call(15_000_000, 30_000_000)
      bar.call(16_000_000, 30_000_000)
      bar.finish
      expect(terminal.string)
        .to eq("\r\e[Kreading dumps [===============               ] 50 % of 30.0 MB\r\e[K")
    end

    it "bears an empty file and a count beyond the end" do
      bar = described_class.new(terminal)
      bar.call(0, 0)
      expect(terminal.string).to include("[==============================] 100 % of 0 B")
      described_class.new(terminal).call(5, 4)
      expect(terminal.string).to end_with("100 % of 4 B")
    end

    it "wipes nothing when it has drawn nothing" do
      described_class.new(terminal).finish
      expect(terminal.string).to be_empty
    end

    it "does not stop the work when the terminal goes away" do
      reader, writer = IO.pipe
      reader.close
      bar = described_class.new(writer)
      expect { bar.call(1, 2) }.not_to raise_error
      expect { bar.call(2, 2) }.not_to raise_error
      expect { bar.finish }.not_to raise_error
    end
  end
end
