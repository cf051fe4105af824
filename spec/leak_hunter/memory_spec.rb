# frozen_string_literal: true

# What each moment says of the memory of its process.
RSpec.describe LeakHunter::Recorder::Memory, :tmpdir do
  keys = %i[rss shared heap_bytes live_slots free_slots malloc_increase oldmalloc_increase]

  # Of each kind of moment, what it says when 64 MB in 100,000 Strings are kept, and what the kernel says then.
  program = <<~'RUBY'
    def resident = File.read("/proc/self/statm").split.values_at(1, 2).map { |pages| pages.to_i * ENV.fetch("PAGE").to_i }
    take = {
      "dump" => -> { LeakHunter::Heap.load(LeakHunter.dump!(dir: ARGV[0])) },
      "fork" => -> { LeakHunter::Heap.load(LeakHunter.dump!(dir: ARGV[0], fork: true)) },
      "mark" => -> { LeakHunter.mark },
      "live" => -> { LeakHunter::Heap.live }
    }.fetch(ARGV[1])
    memory = ->(moment) { (moment.respond_to?(:recorded) ? moment.recorded : moment.to_h).fetch(:memory) }
    first = memory.(take.())
    kept = Array.new(100_000) { |number| "#{number} ".ljust(640, "x") }
    before = resident
    second = memory.(take.())
    puts [first, second].map { |it| Marshal.dump(it).unpack1("H*") }, before.join(" "), kept.size
  RUBY

  %w[dump fork mark live].each do |moment|
    it "is in a #{moment}" do
      page = IO.popen(%w[getconf PAGESIZE], &:read)
      output = run_ruby(program, @tmpdir, moment, env: { "PAGE" => page.chomp }).lines(chomp: true)
      first, second = output.first(2).map { |line| Marshal.load([line].pack("H*")) } # rubocop:disable Security/MarshalLoad
      rss, shared = output[2].split.map(&:to_i)
      expect([first.keys, second.keys]).to all(eq(keys))
      expect([*first.values, *second.values]).to all(be_an(Integer).and(be >= 0))
      expect(second[:rss]).to be_within(40_000_000).of(rss)
      expect(second[:shared]).to be_within(5_000_000).of(shared)
      expect(second[:rss] - first[:rss]).to be > 55_000_000
      expect(second[:live_slots] - first[:live_slots]).to be_between(99_000, 120_000)
      expect(second[:heap_bytes]).to be_between(40 * (second[:live_slots] + second[:free_slots]) * 0.9, second[:rss])
    end
  end

  it "is what the collector says" do
    described_class.new.tap(&:read) # makes caches
    memory = described_class.new
    before = after = nil
    until before && before == after # the heap may grow or shrink meanwhile
      before = GC.stat(:heap_allocated_pages)
      memory.read
      after = GC.stat(:heap_allocated_pages)
    end
    expect(memory.to_h.keys).to eq(keys)
    expect(memory.to_h[:heap_bytes]).to eq(before * GC::INTERNAL_CONSTANTS[:HEAP_PAGE_SIZE])
    text = +""
    memory.append(text)
    expect(JSON.parse(text, symbolize_names: true)).to eq(memory.to_h)
    expect(text.bytesize).to be <= described_class::ROOM
  end

  it "makes no object" do
    output = run_ruby(<<~'RUBY')
      LeakHunter::Native.cores
      memory = LeakHunter::Recorder::Memory.new
      texts = Array.new(3) { String.new(capacity: LeakHunter::Recorder::Memory::ROOM) }
      made = texts.map do |text|
        GC.disable
        before = GC.stat(:total_allocated_objects)
        memory.read
        memory.append(text)
        GC.stat(:total_allocated_objects) - before
      end
      puts made.last, memory.to_h[:rss].to_i > 1_000_000
    RUBY
    expect(output).to eq("0\ntrue\n")
  end

  describe "LeakHunter::Native.resident_set" do
    it "refuses what cannot take the numbers" do
      expect { LeakHunter::Native.resident_set([].freeze) }.to raise_error(FrozenError)
      expect { LeakHunter::Native.resident_set(nil) }.to raise_error(TypeError)
    end

    it "says so where it cannot open the file" do
      output = run_ruby(<<~'RUBY')
        numbers = [1, 2]
        LeakHunter::Native.cores
        Process.setrlimit(:NOFILE, 3)
        p LeakHunter::Native.resident_set(numbers), numbers
      RUBY
      expect(output).to eq("false\n[1, 2]\n")
    end
  end
end
