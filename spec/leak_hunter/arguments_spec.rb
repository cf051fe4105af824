# frozen_string_literal: true

require "pathname"
require "leak_hunter/arguments"

RSpec.describe LeakHunter::Arguments do
  # Everything it has raises.
  let(:hostile) do
    Class.new(BasicObject) do
      instance_methods.each { |name| define_method(name) { |*| ::Kernel.raise(::NotImplementedError, "called") } }
      def method_missing(*) = ::Kernel.raise(::NotImplementedError, "called")
      def respond_to_missing?(*) = false
    end.new
  end

  def refuse(&) = raise_error(LeakHunter::UsageError, &)

  {
    one_of: [:by, %w[a b]], integer: [:top, 1..2], threads: [], boolean: [:gc], callable: [:progress], path: ["dump"],
    address: ["object"]
  }.each do |method, (*given, last)|
    it "refuses any object as #{method}, without calling it" do
      arguments = last.nil? || given.empty? ? [*given, *last] : given
      arguments = method == :threads ? [hostile] : [*arguments, hostile]
      arguments << last if %i[one_of integer].include?(method)
      expect { described_class.public_send(method, *arguments) }.to refuse
    end
  end

  it "takes what is right" do
    expect(described_class.one_of(:by, :a, %w[a b])).to eq("a")
    expect(described_class.integer(:top, 2, 1..2)).to eq(2)
    expect(described_class.integer(:top, nil, 1..2, optional: true)).to be_nil
    expect(described_class.boolean(:gc, false)).to be(false)
    expect(described_class.callable(:progress, :call.to_proc)).to respond_to(:call)
    expect(described_class.address("object", "0x7f00")).to eq(0x7f00)
    expect(described_class.address("object", (2**64) - 1)).to eq((2**64) - 1)
  end

  it "takes paths as bytes" do
    expect(described_class.path("dump", Pathname("a/b"))).to eq("a/b").and be_frozen
    expect(described_class.path("dump", "\xFF\xFE").bytes).to eq([0xFF, 0xFE])
    ["", "a\0b", "a".encode(Encoding::UTF_16LE), nil, 3].each do |path|
      expect { described_class.path("dump", path) }.to refuse
    end
  end

  it "refuses addresses that cannot be" do
    ["0x", "7f", "0x\xFF", "0x#{"f" * 17}", -1, 2**64, nil, 1.5].each do |address|
      expect { described_class.address("object", address) }.to refuse
    end
  end

  it "knows numbers of threads" do
    expect([nil, 1, 1024].map { |threads| described_class.threads(threads) }).to eq([nil, 1, 1024])
    expect(described_class.threads(:all)).to eq(LeakHunter::Native.cores).and be >= 1
    [0, 1025, "2", :some, 1.0].each { |threads| expect { described_class.threads(threads) }.to refuse }
  end

  it "quotes what it was given, but not at length" do
    text = described_class.show("x" * 10_000_000)
    expect(text.length).to be < 100
    expect(described_class.show(1 << 100_000).length).to be < 100
    expect(described_class.show((1..1000).to_a).length).to be < 100
    expect(described_class.show([1, [hostile], "\xFF"])).to include("[1, ")
    endless = []
    endless << endless
    expect(described_class.show(endless).length).to be < 100
    expect(described_class.show(hostile)).to include("anonymous class")
  end

  describe "an unknown option" do
    def dump = "spec/nowhere.json"

    calls = {
      "diff" => -> { LeakHunter.diff("a", "b", "c", holder: true) },
      "dump!" => -> { LeakHunter.dump!("/nowhere/1.json", forked: true) },
      "Heap.load" => -> { LeakHunter::Heap.load("a", thread: 1) },
      "Heap.live" => -> { LeakHunter::Heap.live(name: false) },
      "Diff.survivors" => -> { LeakHunter::Diff.survivors("a", "b", "c", progres: nil) },
      "Heap#top" => -> { LeakHunter::Heap.load(RealDumps.paths.last).top(limits: 1) },
      "Heap#export" => -> { LeakHunter::Heap.load(RealDumps.paths.last).export(:folded, "x", views: :sites) }
    }
    calls.each do |name, call|
      it "of #{name} is refused like every other, with a similar name" do
        expect(&call).to raise_error(ArgumentError) { |error|
          expect(error).to be_a(LeakHunter::Error).and be_a(LeakHunter::UsageError)
          expect(error.message).to match(/\Aunknown option: (\w+)\. Did you mean \w+\? The options are: \w+/)
        }
      end
    end
  end
end
