# frozen_string_literal: true

require "open3"
require "rbconfig"

RSpec.describe "The answer by address alone" do
  script = File.expand_path("../../bench/classic.rb", __dir__)

  # What the widely copied script prints, but for the order of lines with the same count.
  it "is the classic script's, to the object" do
    expected, status = Open3.capture2(RbConfig.ruby, script, *RealDumps.paths)
    expect(status).to be_success
    arguments = ["diff", *RealDumps.paths, "--identity", "address", "--format", "classic"]
    output, errors, status = RealDumps.leak_hunter(*arguments)
    expect([errors, status]).to eq(["", 0])
    expect(output.lines.sort).to eq(expected.lines.sort)
    expect(output.lines.last(2)).to eq(expected.lines.last(2))
    counts = output.scan(/^Retained (\d+)/).flatten.map(&:to_i)
    expect(counts).to eq(counts.sort.reverse)
  end
end
