# frozen_string_literal: true

require "digest"
require "json"
require "open3"
require "pathname"
require "set"
require "stringio"

RSpec.describe LeakHunter::Heap, "#export", :tmpdir do
  let(:heap) { described_class.load(RealDumps.paths.last) }
  let(:session) { heap.instances_of("Session").first }

  def written(format, **options)
    StringIO.new.tap { |io| heap.export(format, io, **options) }.string.force_encoding(Encoding::UTF_8)
  end

  def sum(folded) = folded.lines.sum { |line| line[/ (\d+)$/, 1].to_i }

  %i[retained paths sites].each do |view|
    it "writes folded stacks that add up to the heap: #{view}" do
      folded = written(:folded, view:)
      expect(folded.lines).to all(match(/\A[^;\n]+(;[^;\n]+)* \d+\n\z/))
      expect(sum(folded)).to eq(heap.memsize)
    end
  end

  it "names frames by constants, and by what the dump says of allocations" do
    expect(written(:folded)).to match(/;SESSIONS \(Array\);Session \d+$/)
    expect(written(:folded, view: :sites)).to match(%r{^app;.+/sessions\.rb;new:10;Session \d+$})
  end

  it "counts only some objects where told to, and folds what is left" do
    sessions = heap.instances_of("Session").to_a
    folded = written(:folded, only: sessions)
    expect(sum(folded)).to eq(sessions.sum(&:memsize))
    expect(folded.lines).to contain_exactly(/;SESSIONS \(Array\);Session \d+$/)
    expect(written(:folded, only: sessions.map(&:address))).to eq(folded)
    expect(written(:folded, only: sessions.map { |object| object.address.hex })).to eq(folded)
    expect(written(:folded, only: [])).to eq("")
    few = written(:folded, frames: 5, depth: 3)
    expect(sum(few)).to eq(heap.memsize)
    expect(few.lines.size).to be <= 12
  end

  it "knows what leaked between three dumps" do
    survivors = LeakHunter::Diff.survivors(*RealDumps.paths)
    report = LeakHunter.diff(*RealDumps.paths)
    expect(survivors.size).to eq(report[:totals][:count])
    sites = written(:folded, view: :sites, only: survivors)
    expect(sum(sites)).to eq(report[:totals][:memsize])
    expect(sites).to match(/;Session \d+$/)
  end

  it "shows what a name has of control characters and the like as all else that prints it" do
    names = [*0..0x20, *0x7F..0x9F, 0x61C, 0x180E, *0x2000..0x206F, 0xFEFF, *0xFFF0..0xFFFD, *0xE0000..0xE007F]
            .map { |code| "A#{[code].pack("U")}B\u00E9" }
    path = File.join(@tmpdir, "names.json")
    records = names.each_with_index.map do |name, index|
      JSON.generate(address: format("0x%x", 0x1000 + (index * 40)), type: "CLASS", name:, memsize: 100)
    end
    File.write(path, records.join("\n").gsub(/":/, '": ').gsub(/,"/, ', "') << "\n")
    io = StringIO.new
    described_class.load(path).export(:folded, io)
    shown = io.string.force_encoding(Encoding::UTF_8).lines.map { |line| line[/;class (.*) \d+$/, 1] }
    expect(shown).to match_array(names.map { |name| LeakHunter::Printable.call(name) })
  end

  it "writes speedscope's JSON, one profile for each view" do
    json = JSON.parse(written(:speedscope, title: "a </title>"))
    expect(json).to include("name" => "a </title>", "$schema" => "https://www.speedscope.app/file-format-schema.json")
    expect(json["profiles"].map { |profile| [profile["unit"], profile["weights"].sum, profile["endValue"]] })
      .to all(eq(["bytes", heap.memsize, heap.memsize])).and have_attributes(size: 3)
    expect(JSON.parse(written(:speedscope))["name"]).to eq("3.json")
  end

  it "writes a snapshot for Chrome" do
    json = JSON.parse(written(:heapsnapshot))
    counts = json["snapshot"].values_at("node_count", "edge_count")
    expect([json["nodes"].size / 7, json["edges"].size / 3]).to eq(counts)
    nodes = json["nodes"].each_slice(7).to_a
    expect(nodes.sum { |node| node[3] }).to eq(heap.memsize)
    expect(nodes.map { |node| node[2] }.uniq.size).to eq(nodes.size)
    node = nodes.find { |it| it[2] == (((session.address.hex >> 2) & 0xffffffff) | 1) }
    expect([json["strings"][node[1]], node[3]]).to eq(["Session", session.memsize])
    # no contents of Strings
    expect(json["strings"].grep(/token \d/)).to be_empty
  end

  it "writes pictures that Graphviz can draw" do
    skip "there is no Graphviz here" unless system("command -v dot >/dev/null")
    %i[any references referrers dominators].each do |relation|
      picture = written(:dot, object: session, relation:, limit: 20)
      svg, status = Open3.capture2("dot", "-Tsvg", stdin_data: picture)
      expect(status).to be_success
      expect(svg.scan('class="node"').size).to be_between(2, 21)
    end
    expect(written(:dot, object: session.address)).to include("Session\\n#{session.address}")
  end

  it "writes files whole, or not at all" do
    path = Pathname(@tmpdir) / "heap.html"
    path.write("before")
    expect(heap.flame(path)).to be_nil
    expect(path.read).to start_with("<!doctype html>").and end_with("</html>\n")
    expect { heap.flame("/dev/full") }.to raise_error(LeakHunter::Error, /cannot write/)
    expect { heap.flame("#{@tmpdir}/no/heap.html") }.to raise_error(LeakHunter::Error, /cannot write/)
    expect(Dir.children(@tmpdir)).to eq(["heap.html"])
    File.open(path, "w") { |file| heap.export(:folded, file) }
    expect(sum(path.read)).to eq(heap.memsize)
    File.open(path, "w") do |file|
      file.write("before\n")
      heap.export(:folded, file)
      file.write("after\n")
    end
    expect(path.read.lines.values_at(0, -1)).to eq(%W[before\n after\n])
  end

  {
    [:pprof, {}] => "format: :pprof is not one of folded, speedscope, flame, dot, heapsnapshot",
    [nil, {}] => "format: nil is not one of",
    [:folded, { title: "x" }] => "unknown option: title. The options are: view, depth, frames, only",
    [:heapsnapshot, { only: [] }] => "unknown option: only. There are none",
    [:folded, { view: :size }] => "view: :size is not one of retained, paths, sites",
    [:folded, { depth: 0 }] => "depth: expected 1 to 1000, got 0",
    [:folded, { frames: "9" }] => "frames: expected 1 to 1000000, got \"9\"",
    [:folded, { only: 5 }] => "only: expected objects or addresses, got 5",
    [:folded, { only: ["x"] }] => "only: expected an address, an Integer or \"0x…\", got \"x\"",
    [:dot, {}] => "object: the format dot shows the neighbours of one",
    [:dot, { object: "0x8" }] => "object: there is none at 0x8 in this heap",
    [:dot, { object: "0x8", relation: :near }] => "relation: :near is not one of any"
  }.each do |(format, options), message|
    it "refuses #{format.inspect} #{options}" do
      expect { heap.export(format, StringIO.new, **options) }
        .to raise_error(LeakHunter::UsageError, /#{Regexp.escape(message)}|there is none/)
    end
  end

  it "refuses an object of another heap, and a place that is none" do
    other = described_class.load(RealDumps.paths.first)
    expect { heap.export(:dot, StringIO.new, object: other.first) }.to raise_error(LeakHunter::UsageError, /another/)
    expect { heap.export(:folded, "") }.to raise_error(LeakHunter::UsageError, /path is empty/)
    expect { heap.export(:folded, 5) }.to raise_error(LeakHunter::UsageError, /expected a path or an IO, got 5/)
  end

  describe "the file", :tmpdir do
    let(:path) { File.join(@tmpdir, "heap.folded") }

    it "is readable by its owner only, and replaces what was there, a link itself and not its target" do
      target = File.join(@tmpdir, "target")
      File.write(target, "kept")
      File.symlink(target, path)
      heap.export(:folded, path)
      expect([File.symlink?(path), File.stat(path).mode & 0o7777, File.read(target)]).to eq([false, 0o600, "kept"])
      expect(sum(File.read(path))).to eq(heap.memsize)
    end

    it "has no name that could be known before" do
      names = Set.new
      watching = true
      watcher = Thread.new do
        names.merge(Dir.children(@tmpdir)) while watching
      end
      5.times { |number| heap.export(:heapsnapshot, "#{path}#{number}") }
      watching = false
      watcher.join
      expect(names.grep(/part/)).to all(match(/\A\.leak_hunter-\h{32}\.part\z/))
      expect(Dir.children(@tmpdir).size).to eq(5)
    end

    it "takes a path that is no UTF-8" do
      odd = File.join(@tmpdir, "h\xFF".b)
      heap.export(:folded, odd)
      expect(File.exist?(odd)).to be(true)
    end

    it "needs a folder for temporary files to write to a stream, and says so" do
      expect(run_ruby(<<~'RUBY', RealDumps.paths.last)).to eq("LeakHunter::WriteError")
        require "tmpdir"
        Dir.singleton_class.prepend(Module.new { def tmpdir = raise(ArgumentError, "could not find any") })
        begin
          LeakHunter::Heap.load(ARGV[0]).export(:folded, $stdout)
        rescue LeakHunter::Error => e
          print e.class
        end
      RUBY
    end

    it "says of which folder it is when that cannot be written to" do
      environment = { "TMPDIR" => "/proc" }
      expect(run_ruby(<<~'RUBY', RealDumps.paths.last, env: environment)).to eq("LeakHunter::WriteError true")
        begin
          LeakHunter::Heap.load(ARGV[0]).export(:folded, $stdout)
        rescue LeakHunter::Error => e
          print e.class, " ", e.message.include?("/proc")
        end
      RUBY
    end

    it "is not there, nor open, after an interrupt at any moment" do
      output = run_ruby(<<~'RUBY', RealDumps.paths.last, @tmpdir, options: %w[-rtimeout])
        class Stop < Exception; end
        Thread.report_on_exception = false
        heap = LeakHunter::Heap.load(ARGV[0])
        export = -> { heap.export(:speedscope, File.join(ARGV[1], "x")) }
        Thread.new { export.call }.join
        before = [Dir.children("/proc/self/fd").size, Dir.children(ARGV[1]).size]
        GC.disable
        150.times do |number|
          thread = Thread.new { loop { export.call } }
          sleep number / 5_000.0
          number.even? ? thread.raise(Stop) : thread.kill
          begin; thread.join; rescue Stop; end
        end
        # the last worker closes its own
        2_400.times { Dir.children("/proc/self/fd").size > before[0] ? sleep(0.05) : break }
        p [Dir.children("/proc/self/fd").size, Dir.children(ARGV[1]).size] == before
      RUBY
      expect(output).to eq("true\n")
    end
  end

  # What the page tells the browser to run has to be what it brings.
  %w[page.css graph.css graph.js].each do |file|
    it "has the checksum of #{file}" do
      folder = File.expand_path("../../ext/leak_hunter_core/src/export/flame", __dir__)
      hash = File.read(File.join(folder, "#{file}.sha256")).strip
      expect(hash).to eq("sha256-#{Digest::SHA256.base64digest(File.binread(File.join(folder, file)))}")
    end
  end
end
