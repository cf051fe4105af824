# frozen_string_literal: true

# What ObjectSpace.dump_all writes is the oracle of what a snapshot says.
RSpec.describe LeakHunter, ".snapshot! beside ObjectSpace.dump_all", :tmpdir do
  # Records by address, and all other lines.
  def read(path)
    text = File.binread(path)
    records = text.split(/(?<=\}\n)(?=\{"(?:address|type)":")/n)
    by_address, rest = records.partition { |record| record.match?(/\A\{"address":"0x\h+", "type":"(?!SHAPE)/n) }
    [by_address.to_h { |record| [record[/0x\h+/], record.chomp] }, rest]
  end

  # What is on the stack of the running thread, what it locks, what its code keeps for the next time; and the tables of
  # tracing.
  let(:running) { %r{"struct":"(?:VM/thread|fiber|ractor|mutex)"|"imemo_type":"iseq"} }
  let(:tracing) { '"struct":"ObjectTracing/allocation_info_tracer"' }

  # The members that a snapshot never has.
  let(:left_out) do
    string = /"(?:[^"\\]|\\.)*"/n
    [/, "(?:value|mid|called_id)":#{string}/n, /, "variation_count":\d+/n, /, "flags":\{[^}]*\}/n]
  end

  def comparable(record)
    patterns = left_out.dup
    patterns << /, "references":\[[^\]]*\]/n if record.match?(running)
    patterns << /, "memsize":\d+/n if record.include?(tracing)
    patterns.reduce(record) { |text, pattern| text.gsub(pattern, "") }
  end

  it "says the same of every object, in the same members and the same order" do
    program = File.expand_path("../fixtures/snapshots/every_type.rb", __dir__)
    dump, snapshot = %w[dump snapshot].map { |name| File.join(@tmpdir, name) }
    run_ruby("load ARGV.shift", program, dump, snapshot)
    (dumped, dumped_rest), (walked, walked_rest) = [dump, snapshot].map { |path| read(path) }

    zombies = dumped.count { |_, record| record.include?('"type":"ZOMBIE"') }
    expect(zombies).to eq(0)
    expect(dumped.keys - walked.keys).to eq([])
    # what the snapshot itself needed was made between the two
    expect((walked.keys - dumped.keys).size).to be < dumped.size / 10
    expect(walked.keys & dumped.keys).to eq(dumped.keys)

    types = dumped.values.map { |record| record[/"type":"(\w+)"/, 1] }.uniq
    expect(types).to include(*%w[OBJECT CLASS ICLASS MODULE FLOAT STRING REGEXP ARRAY HASH STRUCT BIGNUM FILE DATA MATCH
                                 SYMBOL RATIONAL COMPLEX IMEMO])
    differences = dumped.filter_map do |address, record|
      expected = comparable(record)
      written = comparable(walked.fetch(address))
      "#{expected}\n#{written}" unless expected == written
    end
    expect(differences.first(5)).to eq([])

    roots = [dumped_rest, walked_rest].map do |lines|
      lines.grep(/"type":"ROOT"/).reject { |line| line.include?("machine_context") }
    end
    categories = roots.map { |lines| lines.to_h { |line| [line[/"root":"(\w+)"/, 1], line.scan(/0x\h+/)] } }
    expect(categories[1].keys).to eq(categories[0].keys)
    categories[0].each do |category, addresses|
      # of the VM itself there is what the running thread waits for
      expect((addresses - categories[1][category]).size).to be <= (category == "vm" ? 3 : 0)
      expect(categories[1][category].size).to be_within(3).of(addresses.size)
    end
    shapes = [dumped_rest, walked_rest].map { |lines| lines.grep(/"type":"SHAPE"/) }
    expect(shapes[1].size).to be >= shapes[0].size
  end
end
