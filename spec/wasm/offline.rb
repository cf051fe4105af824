# frozen_string_literal: true

require "json"

# What `rake wasm` runs: dumps that Rubies in WebAssembly have made (spec/wasm/leak.rb), read by this one.
# Its name does not end with _spec, so that it is only run there.
RSpec.describe "Dumps of Rubies in WebAssembly" do
  folders = Dir[File.join(ENV.fetch("LEAK_HUNTER_WASM_DUMPS"), "*")]

  def dumps(folder) = Array.new(3) { |number| File.join(folder, "#{number + 1}.ndjson") }

  def truth(folder) = JSON.parse(File.read(File.join(folder, "truth.json")), symbolize_names: true)

  def holders(folder) = LeakHunter.diff(*dumps(folder), holders: true)[:holders]

  # The names on a path: of classes and modules, and of edges, without those of the VM.
  def names(steps)
    steps.flat_map do |step|
      edge = step[:edge]
      own = step[:class] if %w[CLASS MODULE].include?(step[:type])
      [(edge[:name] unless edge[:kind] == "root" || edge[:kind] == "array_element"), own]
    end.compact
  end

  # The names that lead to a place. Older Rubies' dumps have none for variables of what is no plain object.
  def way_to(place, truth)
    truth[:ruby] < "4" && %w[BAG TEXT].include?(place.first) ? place.first(1) : place
  end

  def holder_of(place, folder, holders)
    way = way_to(place, truth(folder))
    holders.find { |it| names(it[:path].first(it[:position] + 1)).last(way.size) == way }
  end

  it "are of Ruby 3.4, 4.0 and a later one" do
    rubies = folders.map { |folder| truth(folder)[:ruby][/\d+\.\d+/] }
    expect(rubies.sort.first(2)).to eq(%w[3.4 4.0])
    expect(rubies.size).to be >= 3
  end

  folders.each do |folder|
    describe "of #{File.basename(folder)}" do
      it "name the holder of what leaked into each place, and count it" do
        holders = holders(folder)
        truth(folder)[:places].each do |place|
          holder = holder_of(place, folder, holders)
          expect(holder).not_to be_nil, "nothing at #{place}, but at #{holders.map { |it| names(it[:path]) }}"
          expect(holder[:count]).to eq(truth(folder)[:leaked] * truth(folder)[:each])
        end
      end

      it "name nobody else who holds what the program made" do
        others = holders(folder).select { |it| it[:path].any? { |step| step[:class] == "Token" } }
        expect(others.size).to eq(truth(folder)[:places].size)
      end

      it "count the objects of a class, and lead to each from the roots" do
        heap = LeakHunter::Heap.load(dumps(folder).last)
        tokens = heap.instances_of("Token").to_a
        expect(tokens.size).to eq(truth(folder)[:tokens])
        ways = tokens.map { |token| names(token.path_to_root) }.uniq
        truth(folder)[:places].each do |place|
          way = way_to(place, truth(folder))
          way += ["@hash"] if way == ["SEEN"] && truth(folder)[:ruby] < "4" # a Set had one
          expect(ways.any? { |names| names.last(way.size) == way }).to be(true), "no way by #{place} among #{ways}"
        end
      end

      it "are told on the command line alike" do
        dump = dumps(folder).last
        output, = RealDumps.leak_hunter("top", "--by", "count", "--format", "json", "--limit", "500", dump)
        row = JSON.parse(output, symbolize_names: true)[:rows].find { |it| it[:class] == "Token" }
        expect(row[:count]).to eq(truth(folder)[:tokens])
        token = LeakHunter::Heap.load(dump).instances_of("Token").first
        output, errors, status = RealDumps.leak_hunter("why", dump, token.address)
        expect([errors, status]).to eq(["", 0])
        expect(output).to include("Token at #{token.address}", *names(token.path_to_root).last)
      end

      it "have roots for nearly all there is" do
        heap = LeakHunter::Heap.load(dumps(folder).last)
        expect(heap.memsize).to eq(heap.objects.sum(&:memsize))
        expect(heap.unreachable).to be < heap.size / 500
      end
    end
  end

  it "have holders of the same fingerprint on each Ruby" do
    all = folders.map { |folder| [folder, holders(folder)] }
    truth(folders.first)[:places].each do |place|
      fingerprints = all.to_h do |folder, holders|
        [File.basename(folder), holder_of(place, folder, holders)[:fingerprint]]
      end
      expect(fingerprints.values.uniq.size).to eq(1), "#{place}: #{fingerprints}"
    end
  end
end
