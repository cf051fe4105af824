# frozen_string_literal: true

require "stringio"

RSpec.describe LeakHunter::CLI, "--timings" do
  def diff(*options)
    @stdout = StringIO.new
    @stderr = StringIO.new
    described_class.new(["diff", *options, *RealDumps.paths], stdout: @stdout, stderr: @stderr).run
  end

  # @return [Array] names and shares
  def rows
    @stderr.string.lines(chomp: true).map do |line|
      line.match(/\A +\d+\.\d{3} s +(\d+\.\d) %  (\S.*)\z/).captures.reverse
    end
  end

  steps = ["reading 1.json", "reading 2.json", "reading 3.json", "grouping what leaked",
           "tables of the last dump's heap", "paths and dominators", "holders", "checks and names", "report"]

  it "says where the time of each step went, on standard error" do
    expect(diff).to eq(0)
    report = @stdout.string
    expect([diff("--timings", "--threads", "1"), @stdout.string]).to eq([0, report])
    expect(rows.map(&:first)).to eq([*steps, "in all, on 1 thread"])
    shares = rows.map { |_, share| share.to_f }
    expect(shares.last).to eq(100)
    expect(shares[..-2].sum).to be_within(1).of(100)
  end

  it "has no steps that were not done" do
    expect(diff("--timings", "--no-holders", "--format", "json", "--threads", "2")).to eq(0)
    expect(rows.map(&:first)).to eq([*steps.first(4), *steps.last(2), "in all, on 2 threads"])
    expect(@stdout.string).to start_with('{"schema":1')
  end

  it "is in the result of a diff that asks for it, and only then" do
    expect(LeakHunter.diff(*RealDumps.paths)).not_to have_key(:timings)
    timings = LeakHunter.diff(*RealDumps.paths, timings: true)[:timings]
    expect(timings).to match([*(0..2).map { |dump| { phase: "read", dump:, seconds: Float } },
                              { phase: "groups", dump: nil, seconds: Float }])
  end
end
