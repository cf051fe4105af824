# frozen_string_literal: true

require "stringio"

# However narrow a terminal is, no line is wider.
RSpec.describe LeakHunter::CLI, "on narrow terminals" do
  def columns(line) = LeakHunter::Report::Format.columns(line.gsub(/\e\[[\d;]*m/, ""))

  def run(*argv)
    stdout = StringIO.new
    stderr = StringIO.new
    status = described_class.new(argv, stdout:, stderr:).run
    expect([argv, stderr.string, status]).to eq([argv, "", 0])
    stdout.string
  end

  def with_columns(value)
    before = ENV.fetch("COLUMNS", nil)
    ENV["COLUMNS"] = value&.to_s
    yield
  ensure
    ENV["COLUMNS"] = before
  end

  def commands(dumps)
    last = dumps.last
    address = LeakHunter::Heap.load(last).top(limit: 1).first[:address]
    [["diff", *dumps], ["diff", "--by", "site", *dumps], ["diff", "--by", "gem", "--no-holders", *dumps],
     ["diff", "--color", "--holders", "all", *dumps], ["why", last, address], ["why", "--color", last, "String"],
     *%w[retained class bytes count gem site].map { |by| ["top", "--by", by, last] }]
  end

  helps = described_class::COMMANDS.keys.map { |name| ["help", name] } << ["help"]

  [20, 40, 59, 60, 80].each do |width|
    it "keeps within #{width} columns, whether COLUMNS says so or --width" do
      helps.each do |argv|
        with_columns(width) { expect(run(*argv).lines(chomp: true).map { |line| columns(line) }.max).to be <= width }
      end
      commands(RealDumps.paths).each do |argv|
        with_columns(width) { expect(run(*argv).lines(chomp: true).map { |line| columns(line) }.max).to be <= width }
        with_columns(nil) do
          output = run(*argv, "--width", width.to_s)
          expect(output.lines(chomp: true).map { |line| columns(line) }.max).to be <= width
        end
      end
    end

    it "keeps within #{width} columns with hostile names", :tmpdir do
      commands(HostileDumps.write(@tmpdir)).reject { |argv| argv.include?("String") }.each do |argv|
        with_columns(width) { expect(run(*argv).lines(chomp: true).map { |line| columns(line) }.max).to be <= width }
      end
    end
  end

  it "loses nothing on the way" do
    with_columns(20) do
      narrow = run("why", RealDumps.paths.last, "Session").gsub(/\s/, "")
      expect(narrow).to include("::SESSIONS", "dominator:SESSIONS(Array)")
    end
  end

  it "cuts no name off where there is no room for columns" do
    last = RealDumps.paths.last
    names = LeakHunter::Heap.load(last).top(by: :class, limit: 20).map { |row| row[:class] || "internal objects" }
    [20, 33, 45, 59].each do |width|
      [run("top", "--by", "class", "--width", width.to_s, last)].each do |text|
        expect(text.gsub(/\s/, "")).to include(*names.map { |name| name.gsub(/\s/, "") })
      end
    end
  end

  it "does not take COLUMNS for what it is not" do
    ["", "0", "-5", "abc", "1e3", "999999999"].each do |value|
      with_columns(value) { expect(LeakHunter::Terminal.new(StringIO.new).width).to eq(80) }
    end
    { "5" => 20, "20" => 20, "97" => 97, "500" => 160 }.each do |value, width|
      with_columns(value) { expect(LeakHunter::Terminal.new(StringIO.new).width).to eq(width) }
    end
  end
end
