# frozen_string_literal: true

require "stringio"

RSpec.describe LeakHunter::CLI, "on one dump" do
  let(:stdout) { StringIO.new }
  let(:stderr) { StringIO.new }

  def run(*argv) = described_class.new(argv, stdout:, stderr:).run

  { "why" => %w[--limit --format --color --threads], "top" => %w[--by --limit --format --threads],
    "flame" => %w[--output --depth --frames], "export" => %w[--format --leaked --view --object --relation] }
    .each do |command, options|
    it "helps with #{command}, in 80 columns" do
      expect(run("help", command)).to eq(0)
      expect(stdout.string).to start_with("Usage: leak_hunter #{command} [OPTIONS]")
      options.each { |option| expect(stdout.string).to match(/#{option.sub("--", "--(?:\\[no-\\])?")}\b/) }
      expect(stdout.string.lines(chomp: true).map(&:length).max).to be <= 80
    end
  end

  {
    %w[top] => "top takes one dump, got 0",
    %w[top a b] => "top takes one dump, got 2",
    %w[top --by age a] => "--by: expected retained, class, bytes, count, gem, site, got age",
    %w[top --limit 0 a] => "--limit: expected a number from 1 on, got 0",
    %w[top --format xml a] => "--format: expected text, json, got xml",
    %w[top --threads 0 a] => "threads: expected 1 to",
    %w[why a] => "why takes a dump and an address or a class, got 1",
    %w[export a] => "say which --format",
    %w[export --format pprof a] => "--format: expected folded, speedscope, flame, dot, heapsnapshot, got pprof",
    %w[export --format folded] => "export --format folded takes one dump or three dumps, got 0",
    %w[export --format folded --leaked a] => "export --format folded takes three dumps, got 1",
    %w[export --format heapsnapshot --leaked a b c] => "heapsnapshot cannot tell what leaked",
    %w[export --format heapsnapshot a b c] => "export --format heapsnapshot takes one dump, got 3",
    %w[export --format dot a] => "say --object",
    %w[export --format dot --view sites --object 0x8 a] => "--view is no option of dot",
    %w[flame a b] => "flame takes one dump or three dumps, got 2",
    %w[flame a -o /] => "/ is a folder",
    %w[flame a -o /no/such/x] => "there is no folder /no/such"
  }.each do |argv, message|
    it "is status 2: leak_hunter #{argv.join(" ")}" do
      expect(run(*argv)).to eq(2)
      expect(stderr.string).to start_with("leak_hunter: ").and include(message, "Try: leak_hunter help #{argv.first}")
      expect(stdout.string).to be_empty
    end
  end

  it "never writes over a dump, nor a page onto a terminal" do
    expect(run("flame", __FILE__, "-o", __FILE__)).to eq(2)
    expect(stderr.string).to include("is one of the dumps")
    stdout.define_singleton_method(:tty?) { true }
    expect(run("flame", __FILE__)).to eq(2)
    expect(stderr.string).to include("not for a terminal")
  end

  it "is status 1 where there is no dump" do
    expect(run("top", "/no/such.json")).to eq(1)
    expect(stderr.string).to eq("leak_hunter: /no/such.json: no such file\n")
  end
end
