# frozen_string_literal: true

require "timeout"

# The graph of a dump. A plain reader of the same file is the oracle.
RSpec.describe LeakHunter::Heap do
  let(:dump) { RealDumps.paths.last }
  let(:reader) { DumpReader.new(dump) }
  let(:heap) { described_class.load(dump) }

  def sessions = heap.instances_of("Session")

  describe "what is in it" do
    it "has every object of the dump, with what the dump says of each" do
      expect(heap.size).to eq(reader.objects.size)
      expect(heap.memsize).to eq(reader.objects.values.sum { |record| record.fetch("memsize", 0) })
      heap.each do |object|
        record = reader.objects.fetch(object.address)
        expect([object.type, object.memsize, object.generation])
          .to eq(record.values_at("type", "memsize", "generation").then { |type, size, born| [type, size || 0, born] })
        site = object.site || {}
        expect(site.values_at(:file, :line, :method)).to eq(record.values_at("file", "line", "method"))
      end
    end

    it "has every reference, classes apart, in both directions" do
      known = reader.objects.transform_values do |record|
        record.fetch("references", []).select { |address| reader.objects.key?(address) }
      end
      referrers = Hash.new { |hash, key| hash[key] = [] }
      known.each { |address, references| references.uniq.each { |reference| referrers[reference] << address } }
      heap.each do |object|
        expect(object.references.map(&:address)).to eq(known[object.address])
        expect(object.referrers.map(&:address)).to match_array(referrers[object.address])
      end
    end

    it "finds an object by its address, as a number or as it is written in reports" do
      session = sessions.first
      expect(heap.find(session.address)).to eq(session)
      expect(heap.find(session.address.hex)).to eq(session)
      expect(heap.find(session.address.hex + 1)).to be_nil
      expect(heap.find("0x8")).to be_nil
    end

    it "finds the instances of a class by its name, as many as are asked for" do
      expect(sessions.count).to eq(2 * RealDumps::LEAKED)
      expect(sessions.first(3).map(&:class_name)).to eq(["Session"] * 3)
      expect(sessions.lazy.map(&:memsize).first(2).size).to eq(2)
      expect(heap.instances_of("Nothing").to_a).to be_empty
      expect(sessions.first.klass.type).to eq("CLASS")
    end

    it "says what the VM holds, by category" do
      expected = reader.roots.group_by { |root| root["root"] }.transform_values do |records|
        records.flat_map { |record| record["references"] }.select { |address| reader.objects.key?(address) }.uniq.size
      end
      expect(heap.roots.transform_values(&:size)).to eq(expected)
      expect(heap.roots["vm"].first).to be_a(LeakHunter::HeapObject)
    end

    it "knows the moment and the file" do
      expect(heap.path).to eq(dump)
      expect(heap.generation).to eq(reader.header["generation"])
      expect(heap.recorded).to include(pid: reader.header["pid"])
      expect(heap.pause).to be_nil
      expect(heap.inspect).to include("3.json", heap.size.to_s)
    end

    it "counts what leads nowhere and what nothing leads to" do
      dangling = reader.records.sum do |record|
        record.fetch("references", []).count { |address| !reader.objects.key?(address) }
      end
      expect(heap.dangling).to eq(dangling)
      # from Ruby 3.4 on, what finalizers hold has a root of our own
      expect(heap.unreachable).to be <= reader.unreachable.size
      expect(heap.unreachable).to eq(reader.unreachable.size) if RUBY_VERSION < "3.4"
    end
  end

  describe "who holds what" do
    it "leads from a root to an object, by references that are there" do
      root, *path = sessions.first.path_to_root
      expect(root).to include(type: "ROOT", address: nil, class: path.first[:edge][:name])
      expect(path.first[:edge]).to include(kind: "root", named_by: "dump")
      expect(heap.roots.fetch(path.first[:edge][:name]).map(&:address)).to include(path.first[:address])
      expect(path.last).to include(address: sessions.first.address, class: "Session", type: "OBJECT")
      path.each_cons(2) do |from, to|
        held = reader.objects.fetch(from[:address])
        expect(held.fetch("references", []) + [held["class"]]).to include(to[:address])
      end
      expect(path[-2]).to include(type: "ARRAY", class: "Array")
    end

    it "knows that the Array alone keeps the sessions alive, and what that comes to" do
      array = sessions.first.dominator
      expect(array).to have_attributes(class_name: "Array", length: 2 * RealDumps::LEAKED)
      expect(array.dominated.to_a).to include(*sessions)
      expect(sessions.map(&:dominator).uniq).to eq([array])
      held = sessions.sum { |session| session.memsize + session.references.sum(&:memsize) }
      expect(array.retained_size).to eq(array.memsize + held)
    end

    it "says what is largest, by what is asked for" do
      row = heap.top(limit: 1).first
      expect(row[:object].retained_size).to eq(row[:retained_size])
      expect(heap.top(by: :retained, limit: 5).map { |it| -it[:retained_size] }).to eq_sorted
      expect(heap.top(by: :count, limit: 5).map { |it| -it[:count] }).to eq_sorted
      expect(heap.top(by: :bytes, limit: 5)).to eq(heap.classes.first(5))
      expect(heap.top(by: "class", limit: 5).map { |it| -it[:retained_size] }).to eq_sorted
      expect(heap.top(by: :gem).sum { |it| it[:count] }).to eq(heap.size)
      site = heap.top(by: :site, limit: 1000).find { |it| it[:file].to_s.end_with?("sessions.rb") }
      expect(site).to include(gem: "app", count: a_value >= RealDumps::LEAKED)
    end

    it "adds up the instances of a class, none twice" do
      row = heap.top(by: :class, limit: 1000).find { |it| it[:class] == "Session" }
      expect(row).to include(count: sessions.count, retained_size: sessions.sum(&:retained_size))
      expect(heap.classes.sum { |it| it[:count] }).to eq(heap.size)
      expect(heap.classes.sum { |it| it[:memsize] }).to eq(heap.memsize)
    end
  end

  describe "in Ruby" do
    it "is Enumerable, and makes objects only when they are asked for" do
      expect(heap.first).to be_a(LeakHunter::HeapObject)
      expect(heap.each.size).to eq(heap.size)
      expect(heap.find { |object| object.class_name == "Session" }).to eq(sessions.first)
      heap.first # what is kept is there
      made = ObjectSpace.count_objects[:T_OBJECT]
      expect(heap.objects.lazy.select { |object| object.type == "HASH" }.first(3).size).to eq(3)
      expect(ObjectSpace.count_objects[:T_OBJECT] - made).to be < heap.size
    end

    it "takes blocks where it has enumerators" do
      seen = []
      expect(heap.each_object("Session") { |object| seen << object }).to equal(heap)
      expect(seen).to eq(sessions.to_a).and eq(heap.each_object("Session").to_a)
      expect(heap.instances_of("Session") { |object| seen.delete(object) }).to equal(heap)
      expect(seen).to eq([])
      expect(heap.each_object.first).to eq(heap.first)
      session = sessions.first
      %i[references referrers dominated].each do |name|
        found = []
        expect(session.public_send(name) { |object| found << object }).to equal(session)
        expect(found).to eq(session.public_send(name).to_a)
      end
    end

    it "has objects that are equal when they are the same object of the same heap" do
      one, two = sessions.first(2)
      expect(heap.find(one.address)).to eql(one)
      expect([heap[one.address], heap[one.address.hex], heap[8]]).to eq([one, one, nil])
      expect([one, heap.find(one.address), two].uniq.size).to eq(2)
      expect(one).not_to eq(described_class.load(dump).find(one.address))
      expect(one.inspect).to match(/Session, \d+ B from .*sessions\.rb:\d+/)
      expect(one.to_h).to include(address: one.address, class: "Session", references: [String])
    end

    it "prints names that a dump may have in it", :tmpdir do
      path = File.join(@tmpdir, "\e[31m.json")
      File.write(path, <<~'DUMP')
        {"type":"ROOT", "root":"vm", "references":["0x8", "0x10"]}
        {"address":"0x8", "type":"CLASS", "name":"\u001b[31m\u202e\nX", "memsize":40}
        {"address":"0x10", "type":"OBJECT", "class":"0x8", "file":"\u001b]0;", "line":1, "generation":1, "memsize":40}
      DUMP
      heap = described_class.load(path)
      expect(heap[16].class_name).to eq("\e[31m\u202e\nX")
      expect([heap.inspect, heap[8].inspect, heap[16].inspect]).to all(match(/\A[[:print:]]+\z/))
      expect(heap[16].inspect).not_to match(/\u202e/)
    end

    it "is frozen, and may go to another Ractor" do
      expect(heap).to be_frozen
      expect(Ractor.shareable?(heap)).to be(true)
    end

    it "tells the collector what it takes" do
      require "objspace"
      expect(ObjectSpace.memsize_of(heap.native)).to be > heap.size * 20
      before = ObjectSpace.memsize_of(heap.native)
      heap.top(limit: 1)
      expect(ObjectSpace.memsize_of(heap.native)).to be > before
    end

    it "refuses what makes no sense, and says why" do
      {
        -> { described_class.load(nil) } => /expected a path/, -> { described_class.load("") } => /empty/,
        -> { described_class.load(dump, threads: 0) } => /threads/,
        -> { described_class.load(dump, progress: 1) } => /progress/,
        -> { heap["0xz"] } => /address/, -> { heap[nil] } => /address/, -> { heap["0x1\n"] } => /address/,
        -> { heap.find("12") } => /address/, -> { heap.find(-1) } => /address/, -> { heap.find(2**64) } => /address/,
        -> { heap.top(by: :size) } => /retained, count/, -> { heap.top(limit: -1) } => /limit/,
        -> { heap.instances_of(1) } => /class/
      }.each do |wrong, message|
        expect(&wrong).to raise_error(LeakHunter::UsageError, message)
      end
    end

    it "says what is wrong with a file" do
      expect { described_class.load(__FILE__) }.to raise_error(LeakHunter::NotADump)
      expect { described_class.load("/nowhere/1.json") }.to raise_error(LeakHunter::DumpUnreadable)
    end
  end

  describe "in a living process" do
    it "tells its progress while it loads, up to the end" do
      seen = []
      described_class.load(dump, threads: 1, progress: ->(done, total) { seen << [done, total] })
      expect(seen.last).to eq([File.size(dump)] * 2)
    end

    it "is stopped by Timeout and by what the progress callback raises" do
      slow = SlowDumps.paths.first
      expect { Timeout.timeout(0.05) { described_class.load(slow, threads: 1) } }.to raise_error(Timeout::Error)
      stop = ->(*) { raise KeyError, "enough" }
      expect { described_class.load(slow, threads: 1, progress: stop) }.to raise_error(KeyError, "enough")
    end

    it "lets several threads ask at once, and computes once" do
      answers = Array.new(4) { Thread.new { heap.top(limit: 3).map { |row| row[:retained_size] } } }
      expect(answers.map(&:value).uniq.size).to eq(1)
    end

    it "works in a forked child, be it forked while something is computed" do
      output = run_ruby(<<~RUBY, dump)
        heap = LeakHunter::Heap.load(ARGV[0])
        asking = Thread.new { heap.top(limit: 1) }
        children = Array.new(3) { fork { exit!(heap.top(limit: 1)[0][:retained_size].positive? ? 0 : 1) } }
        asking.join
        children << fork { exit!(heap.first.referrers.size >= 0 ? 0 : 1) }
        p children.map { |child| Process.wait2(child)[1].exitstatus }
      RUBY
      expect(output).to eq("[0, 0, 0, 0]\n")
    end
  end

  matcher(:eq_sorted) { match { |list| list == list.sort } }
end
