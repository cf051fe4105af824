# frozen_string_literal: true

require "open3"
require "rbconfig"

RSpec.describe LeakHunter::CLI, "standard input", :tmpdir do
  def run(*arguments, input: "")
    Open3.capture3({ "TMPDIR" => @tmpdir }, RbConfig.ruby, "-w", "-I", RealDumps::LIB, RealDumps::EXE, *arguments,
                   stdin_data: input, binmode: true)
  end

  let(:dumps) { RealDumps.paths }
  let(:compressed) do
    LeakHunter::Recorder::Format.new(values: "all", compress: "zstd").then do |format|
      File.open(File.join(@tmpdir, "3.json.zst"), "w+b") do |file|
        format.write(file, "", File.binread(dumps[2]), "")
        File.binread(file.path)
      end
    end
  end

  it "is a dump, compressed or not, in the place of a path" do
    expected, = run("diff", "--format", "classic", *dumps)
    [File.binread(dumps[2]), compressed].each do |input|
      output, errors, status = run("diff", "--format", "classic", dumps[0], dumps[1], "-", input:)
      expect([errors, status.exitstatus]).to eq(["", 0])
      expect(output).to eq(expected)
    end
    tops = [run("top", "-", input: compressed), run("top", dumps[2])].map { |output,| output.lines.drop(1) }
    expect(tops.first).to eq(tops.last).and be_any
    expect(Dir.children(@tmpdir)).to eq(["3.json.zst"])
  end

  it "can be read once, and says what is wrong with it" do
    _, errors, status = run("diff", "-", dumps[1], "-")
    expect([status.exitstatus, errors]).to match([2, /standard input is one dump; it cannot be read twice/])
    _, errors, status = run("top", "-", input: "hello\n")
    expect([status.exitstatus, errors]).to match([1, /standard input: is not a heap dump/])
    _, errors, status = run("top", "-", input: compressed[0, compressed.bytesize / 2])
    expect([status.exitstatus, errors]).to match([1, /standard input: .*(?:cut short|cannot be unpacked)/])
  end
end
