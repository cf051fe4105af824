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

  # What the message must name, whatever its words are.
  {
    %w[top] => %w[top one 0],
    %w[top a b] => %w[top one 2],
    %w[top --by age a] => %w[--by retained class bytes count gem site age],
    %w[top --limit 0 a] => %w[--limit 0],
    %w[top --format xml a] => %w[--format text json xml],
    %w[top --threads 0 a] => %w[threads 0],
    %w[why a] => %w[why address class 1],
    %w[export a] => %w[--format],
    %w[export --format pprof a] => %w[--format folded speedscope flame dot heapsnapshot pprof],
    %w[export --format folded] => %w[folded one three 0],
    %w[export --format folded --leaked a] => %w[folded three 1],
    %w[export --format heapsnapshot --leaked a b c] => %w[--leaked heapsnapshot],
    %w[export --format heapsnapshot a b c] => %w[heapsnapshot one 3],
    %w[export --format dot a] => %w[dot --object],
    %w[export --format dot --view sites --object 0x8 a] => %w[--view dot],
    %w[flame a b] => %w[flame one three 2],
    %w[flame a -o /] => ["--output", "/ "],
    %w[flame a -o /no/such/x] => %w[--output /no/such]
  }.each do |argv, words|
    it "is status 2: leak_hunter #{argv.join(" ")}" do
      expect(run(*argv)).to eq(2)
      expect(stderr.string).to match(/\Aleak_hunter: .*\nTry: leak_hunter help #{argv.first}\n\z/).and include(*words)
      expect(stdout.string).to be_empty
    end
  end

  it "never writes over a dump, nor a page onto a terminal" do
    expect(run("flame", __FILE__, "-o", __FILE__)).to eq(2)
    expect(stderr.string).to include("--output", __FILE__)
    stdout.define_singleton_method(:tty?) { true }
    expect(run("flame", __FILE__)).to eq(2)
    expect(stderr.string).to include("flame", "terminal", "-o FILE")
  end

  it "is status 1 where there is no dump" do
    expect(run("top", "/no/such.json")).to eq(1)
    expect(stderr.string).to start_with("leak_hunter: /no/such.json: ")
  end
end
