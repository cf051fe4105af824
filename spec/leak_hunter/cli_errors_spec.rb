# frozen_string_literal: true

require "stringio"
require "zlib"

# An error says what is wrong, with which file, and what to do.
RSpec.describe LeakHunter::CLI, "on what cannot be used", :tmpdir do
  def run(*argv)
    stderr = StringIO.new
    status = described_class.new(argv, stdout: StringIO.new, stderr:).run
    [status, stderr.string]
  end

  def file(name, bytes) = File.join(@tmpdir, name).tap { |path| File.binwrite(path, bytes) }

  def dumps = RealDumps.paths

  it "says of a file what is wrong with it, in one line, and what to do where that is known" do
    whole = File.binread(dumps[1])
    gzip = file("2.json.gz", Zlib.gzip(whole)[0, 2_000])
    {
      file("empty.json", "") => /is empty; take it again/,
      gzip => /is cut short: its compressed data has no end; copy or take it again \(byte 2000\)/,
      file("cut.json", whole[0, 200_000]) => /is cut short: .* copy or take it again \(line \d+, byte 200000\)/,
      file("notes.txt", "shopping\n") => /is not a heap dump: its first line is no record of ObjectSpace\.dump_all/,
      File.join(@tmpdir, "none.json") => /no such file/, @tmpdir => /is a folder, not a heap dump/
    }.each do |path, message|
      [["diff", dumps[0], path, dumps[2]], ["top", path], ["why", path, "String"], ["flame", path, "-o", "/dev/null"]]
        .each { |argv| expect(run(*argv)).to match([1, /\Aleak_hunter: #{Regexp.escape(path)}: #{message}\n\z/]) }
    end
  end

  it "says in which order dumps are to be given" do
    status, message = run("diff", dumps[2], dumps[0], dumps[1])
    expect(status).to eq(1)
    expect(message).to match(/the first dump is younger than the second .*: #{Regexp.escape(dumps.join(" "))}\n\z/)
  end

  it "says which dump is of which process, and no more than tells them apart" do
    other = RealDumps.take(@tmpdir)
    status, message = run("diff", *dumps.first(2), other.last)
    expect(status).to eq(1)
    expect(message).to match(/the first of process \d+ on \S+, the second of process \d+ .*, the third of process \d+/)
    expect(message).not_to include("boot")
  end

  it "says where to look for what a dump does not have" do
    expect(run("why", dumps[2], "Nonsense"))
      .to eq([1, "leak_hunter: #{dumps[2]} has no objects of the class Nonsense, and nothing of this name. " \
                 "leak_hunter top --by class lists its classes\n"])
    expect(run("why", dumps[2], "0x8")).to match([1, /has no object at 0x8\. .* take it from a report of this one\n\z/])
  end

  it "says what to do where the dump of the last report is gone" do
    copies = dumps.map { |path| File.join(@tmpdir, File.basename(path)).tap { |copy| FileUtils.cp(path, copy) } }
    expect(run("diff", *copies)).to eq([0, ""])
    File.unlink(copies.last)
    expect(run("why", "#1")).to match([1, /is gone: #{Regexp.escape(copies.last)}\. Run leak_hunter diff again\n\z/])
  end
end
