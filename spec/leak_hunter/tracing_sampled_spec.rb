# frozen_string_literal: true

require "json"
require "objspace"

# One allocation in so many. Where one in one is asked for all are known, so that nothing may be missing.
RSpec.describe LeakHunter::Tracing::Sampled do
  # Standard deviations. Of the means here, 300 and more, a number of samples is farther off less than once in 10⁹
  # times.
  never = 7.7

  define_method(:near) do |mean|
    deviation = Math.sqrt(mean) * never
    be_between(mean - deviation, mean + deviation)
  end

  def sampling = LeakHunter::Native.sampling

  def allocation(object) = LeakHunter::Tracing.allocation(object)

  def numbers(program, *arguments)
    JSON.parse(run_ruby(<<~RUBY, *arguments), symbolize_names: true)
      require "json"
      def sampling = LeakHunter::Native.sampling
      def allocation(object) = LeakHunter::Tracing.allocation(object)
      #{program}
    RUBY
  end

  describe "which allocations it remembers" do
    it "is one in so many, without a bias, of all that a program makes" do
      LeakHunter.trace!(mode: :sampled, every: 100)
      100_000.times { Object.new }
      facts = sampling
      expect(facts[:allocations]).to be >= 100_000
      expect(facts[:reported]).to eq(facts[:allocations])
      expect(facts[:taken]).to near(facts[:allocations] / 100.0)
    end

    it "is the same share of each site of a program with a period that it could fall in with" do
      LeakHunter.trace!(mode: :sampled, every: 64)
      rare = []
      often = []
      20_000.times do
        63.times { often << Object.new }
        rare << Object.new
        often.clear
      end
      expect(rare.count { |object| allocation(object) }).to near(20_000 / 64.0)
    end

    it "is the same share in threads and fibers" do
      LeakHunter.trace!(mode: :sampled, every: 50)
      made = Array.new(4) { Thread.new { Array.new(20_000) { Object.new } } }.map(&:value)
      made << Fiber.new { Array.new(20_000) { Object.new } }.resume
      expect(made.map { |objects| objects.count { |object| allocation(object) } }).to all(near(400.0))
    end

    it "can be each one" do
      LeakHunter.trace!(mode: :sampled, every: 1)
      line = __LINE__ + 1
      objects = Array.new(10_000) { Object.new }
      expect(objects.map { |object| allocation(object)&.fetch(:line) }.uniq).to eq([line])
    end
  end

  # The lines of objects tell which ones they are: an object that has another's birth shows.
  describe "of what is remembered, takes no object for another, and loses none:" do
    program = <<~'RUBY'
      class Kept; end
      LeakHunter.trace!(mode: :sampled, every: Integer(ARGV[0]))
      KEPT = Hash.new { |hash, line| hash[line] = [] }
      make = {
        10 => eval("-> { Kept.new }", nil, "/made/ten.rb", 10),
        20 => eval("-> { Kept.new }", nil, "/made/twenty.rb", 20),
        30 => eval("-> { Kept.new }", nil, "/made/thirty.rb", 30)
      }
      random = Random.new(7)
      churn = lambda do |count|
        count.times do
          line = make.keys[random.rand(3)]
          KEPT[line] << make[line].call
          KEPT[line].delete_at(random.rand(KEPT[line].size)) if random.rand < 0.8
        end
      end
      report = lambda do
        known = KEPT.sum { |_, all| all.count { |object| allocation(object) } }
        wrong = KEPT.sum { |line, all| all.count { |object| (it = allocation(object)) && it[:line] != line } }
        puts({ known:, wrong:, all: KEPT.sum { |_, all| all.size }, lost: sampling[:lost] }.to_json)
      end
    RUBY
    {
      "where collections come often" => "60.times { churn.call(500); GC.start(full_mark: random.rand < 0.5) }",
      "where each allocation collects garbage" => <<~RUBY,
        churn.call(500); GC.stress = true; churn.call(25); GC.stress = false
      RUBY
      "where objects are moved" => <<~RUBY,
        20.times { churn.call(1_000); GC.compact if GC.respond_to?(:compact) }
      RUBY
      "where objects are moved at any time" => <<~RUBY,
        GC.auto_compact = true if GC.respond_to?(:auto_compact=)
        20.times { churn.call(1_000); GC.start }
      RUBY
      "in threads" => "Array.new(4) { Thread.new { 10.times { churn.call(500); GC.start } } }.each(&:join)"
    }.each do |name, work|
      it name do
        result = numbers("#{program}\n#{work}\nreport.call", "1")
        expect(result).to include(wrong: 0, lost: 0, known: result[:all])
        expect(numbers("#{program}\n#{work}\nreport.call", "5")).to include(wrong: 0, lost: 0, known: be_positive)
      end
    end

    it "in a forked child" do
      result = numbers(<<~RUBY, "1")
        #{program}
        churn.call(5_000)
        child = fork do
          churn.call(5_000)
          GC.start
          report.call
          $stdout.flush
          exit!
        end
        Process.wait(child)
      RUBY
      expect(result).to include(wrong: 0, lost: 0, known: result[:all])
    end

    # Before Ruby 3.4 an end of marking is not reported then: it says what it has lost.
    it "beside ObjectSpace, whose hooks start collections" do
      result = numbers(<<~RUBY, "1")
        #{program}
        require "objspace"
        ObjectSpace.trace_object_allocations_start
        200.times { churn.call(500) }
        report.call
      RUBY
      expect(result).to include(wrong: 0)
      expect(result[:known] + result[:lost]).to be >= result[:all]
    end
  end

  it "knows the whole stack, the context, and the words of ObjectSpace" do
    LeakHunter.trace!(mode: :sampled, every: 1)
    before = GC.count
    object = LeakHunter.context("orders") { Object.new }
    known = allocation(object)
    expect(known).to include(file: __FILE__, line: __LINE__ - 2, method: :new, context: "orders")
    expect(known[:generation]).to be_between(before, GC.count)
  end

  it "grows with nothing that is gone: objects, and code that is compiled again and again" do
    before, after, code = numbers(<<~'RUBY')
      LeakHunter.trace!(mode: :sampled, every: 1)
      work = lambda do |from|
        30_000.times { |number| eval("Object.new", nil, "/template/#{from + number}.erb", 1) }
        GC.start
      end
      6.times { |round| work.call(round * 30_000) }
      before = LeakHunter::Native.traced[:memory]
      4.times { |round| work.call((round + 6) * 30_000) }
      code = ObjectSpace.each_object(RubyVM::InstructionSequence).count { |it| it.path.start_with?("/template") }
      puts [before, LeakHunter::Native.traced[:memory], code].to_json
    RUBY
    expect(after).to be < before * 1.5
    expect(code).to be < 20_000
  end

  it "gives all back each time in a thousand starts and stops" do
    before, after = numbers(<<~RUBY)
      held = -> { [LeakHunter::Native.traced[:memory], GC.stat(:heap_live_slots)] }
      cycle = lambda do |number|
        LeakHunter.trace!(mode: :sampled, every: 8, budget: (0.5 if (number % 50).zero?))
        Array.new(50) { Object.new }
        LeakHunter.untrace!
      end
      200.times(&cycle)
      GC.start
      before = held.call
      1_000.times(&cycle)
      GC.start
      puts [before, held.call].to_json
    RUBY
    expect(after.first).to eq(before.first)
    expect(after.last).to be < before.last + 3_000
  end

  describe "a budget" do
    it "lets only a part of the allocations be reported, and what is known stands for the others" do
      result = numbers(<<~RUBY)
        LeakHunter.trace!(mode: :sampled, every: 8, budget: 0.05)
        3_000.times do
          20_000.times { Object.new }
          break if sampling[:taken] > 100
        end
        puts sampling.merge(since: LeakHunter::Tracing.since[:sampling]).to_json
      RUBY
      expect(result[:taken]).to be > 100
      expect(result[:reported]).to be < result[:allocations]
      expect(result[:since].keys).to eq(%i[by every allocations reported lost])
    end

    it "goes on in a forked child when that asks for it" do
      output = run_ruby(<<~RUBY)
        LeakHunter.trace!(mode: :sampled, budget: 0.05)
        child = fork do
          LeakHunter.trace!
          print Thread.list.map(&:name).compact.inspect
          $stdout.flush
          exit!
        end
        Process.wait(child)
      RUBY
      expect(output).to eq('["LeakHunter tracing"]')
    end

    it "ends with tracing" do
      LeakHunter.trace!(mode: :sampled, budget: 0.05)
      LeakHunter.untrace!
      expect(Thread.list.map(&:name)).not_to include("LeakHunter tracing")
      expect(sampling).to be_nil
    end
  end

  describe "a diff" do
    program = <<~'RUBY'
      class Order; end
      module Orders
        KEPT = []
        def self.create = (KEPT << Order.new)
        def self.work(count) = count.times { create; Order.new }
      end
      def hunt(moments, last)
        LeakHunter.trace!(mode: :sampled, every: 20)
        first = moments.call
        Orders.work(20_000)
        second = moments.call
        Orders.work(20_000)
        LeakHunter.diff(first, second, last.call, holders: true)
      end
      def summary(result)
        group = result[:groups].find { |it| it[:class] == "Order" }
        holder = result[:holders].find { |it| it[:name] == "Orders::KEPT" }
        { group: group.slice(:count, :estimate, :memsize, :line, :callers), groups: result[:groups].size,
          holder: holder.slice(:count, :estimate, :verdict), evidence: result[:evidence],
          report: LeakHunter::Report.new(result).to_s(width: 120, sites: true).gsub(/\s+/, " ") }
      end
    RUBY
    {
      "marks and a heap" => "summary(hunt(-> { LeakHunter.mark }, -> { LeakHunter::Heap.live }))",
      "dumps" => "Dir.mktmpdir { |dir| summary(hunt(-> { LeakHunter.dump!(dir:) }, -> { LeakHunter.dump!(dir:) })) }",
      "snapshots" => "Dir.mktmpdir { |dir| summary(hunt(-> { LeakHunter.snapshot!(dir:) }, " \
                     "-> { LeakHunter.snapshot!(dir:) })) }"
    }.each do |name, code|
      it "of #{name} names the leak with about its size, and says what that is estimated from" do
        result = numbers("require \"tmpdir\"\n#{program}\nputs #{code}.to_json")
        sampled = result[:group][:estimate][:sampled]
        expect(sampled).to near(1_000.0)
        expect(result[:group]).to include(count: sampled * 20, line: 8)
        expect(result[:group][:estimate]).to include(lowest: be < sampled * 20, highest: be > sampled * 20)
        expect(result[:holder]).to include(count: sampled * 20, verdict: include(name: "growing"))
        expect(result[:evidence]).to include(confidence: "high", one_in: 20.0, reasons: include("sampled"))
        expect(result[:evidence][:survivors]).to include(untraced: 0)
        expect(result[:report]).to include("(#{sampled.to_s.gsub(/(?<=\d)(?=\d{3}\z)/, ",")} sampled)",
                                           "one allocation in 20 was remembered")
        expect(result[:group][:callers].first[:frames]).to include(match(/:in [`'](Orders\.)?create'/))
      end
    end

    # What marks count is of all objects, what is known of births of some.
    it "of marks and a heap denies no leak, and calls nothing growing that does not" do
      holders, counted = numbers(<<~'RUBY')
        class Item; end
        Link = Struct.new(:value, :next)
        LEAK = []
        CACHE = {}
        LOADED = []
        # they get longer, the arrays that they begin in do not
        LISTS = Array.new(10) { [nil] }
        made = 0
        work = lambda do |size|
          5_000.times { LEAK << Item.new }
          CACHE.shift while CACHE.size > 3_000
          CACHE[made += 1] = Item.new while CACHE.size < size
          LOADED.concat(Array.new(5_000) { Item.new }) if size < 5_050
          LISTS.each { |list| 500.times { list[0] = Link.new(1, list[0]) } }
        end
        # nothing that died is left on a stack
        work_elsewhere = ->(size) { Thread.new { work.call(size) }.join }
        LeakHunter.trace!(mode: :sampled, every: 20)
        moments = [5_000, 5_020].map { |size| work_elsewhere.call(size) && LeakHunter.mark }
        work_elsewhere.call(5_050)
        result = LeakHunter.diff(*moments, LeakHunter::Heap.live, holders: true)
        holders = result[:holders].to_h { |it| [it[:name], it.slice(:verdict, :growth)] }
        puts [holders, moments.map { |mark| mark.classes.find { |it| it[:class] == "Item" }[:count] }].to_json
      RUBY
      expect(counted).to eq([15_000, 25_020])
      verdicts = holders.transform_values { |it| it[:verdict][:name] }
      expect(verdicts).to include(LEAK: "growing", CACHE: "replaced", LOADED: "once", LISTS: "inconclusive")
      expect(holders[:LEAK][:growth]).to eq([5_000, 10_000, 15_000])
      expect(holders[:CACHE][:growth]).to eq([5_000, 5_020, 5_050])
    end

    it "takes no object that was not sampled for one that leaked, or for an old one" do
      result = numbers(<<~RUBY)
        LeakHunter.trace!(mode: :sampled, every: 1_000_000)
        first = LeakHunter::Heap.live
        kept = Array.new(5_000) { Object.new }
        second = LeakHunter::Heap.live
        result = LeakHunter.diff(first, second, LeakHunter::Heap.live, holders: true)
        puts result[:groups].to_json
      RUBY
      expect(result.sum { |group| group[:estimate][:sampled] }).to be < 5
    end
  end

  describe "by bytes" do
    it "remembers what is in larger slots more often, each as often as its bytes say" do
      known = numbers(<<~RUBY)
        require "objspace"
        LeakHunter.trace!(mode: :sampled, by: :bytes, every: 4_000)
        small = Array.new(40_000) { Object.new }
        large = Array.new(40_000) { "x" * 400 }
        LeakHunter::Native.sampling_pulse(false)
        slot = ->(object) { JSON.parse(ObjectSpace.dump(object)).fetch("slot_size", 40) }
        puts [small, large].map { |all| [slot.call(all.last), all.count { |it| allocation(it) }] }.to_json
      RUBY
      known.each { |slot, count| expect(count).to near(40_000 * (1 - ((1 - (1 / 4_000.0))**slot))) }
      expect(known.last.first).to be > known.first.first if RUBY_VERSION.to_f > 3.2
    end

    kinds = {
      "a heap" => "take = -> { LeakHunter::Heap.live }",
      "dumps" => "take = -> { LeakHunter.dump!(dir: Dir.mktmpdir) }",
      "snapshots" => "take = -> { LeakHunter.snapshot!(dir: Dir.mktmpdir) }"
    }
    kinds.each do |name, take|
      it "multiplies what a diff of #{name} finds by what the slots say, and says so" do
        result = numbers(<<~RUBY)
          require "objspace"
          require "tmpdir"
          #{take}
          LeakHunter.trace!(mode: :sampled, by: :bytes, every: 2_000)
          first = take.call
          KEPT = [Array.new(40_000) { Object.new }, Array.new(10_000) { "x" * 400 }]
          second = take.call
          result = LeakHunter.diff(first, second, take.call, holders: true)
          bytes = KEPT.map { |all| ObjectSpace.memsize_of(all.last) }
          groups = %w[Object String].map { |it| result[:groups].find { |group| group[:class] == it } }
          puts({ bytes:, groups: groups.map { |it| it.slice(:count, :memsize, :estimate) },
                 evidence: result[:evidence], holders: result[:holders].sum { |it| it[:count] },
                 report: LeakHunter::Report.new(result).to_s(width: 1_000) }.to_json)
        RUBY
        [40_000, 10_000].zip(result[:groups], result[:bytes]) do |all, group, bytes|
          deviation = all / Math.sqrt(group[:estimate][:sampled])
          expect(group[:count]).to be_within(deviation * never).of(all)
          expect(group[:memsize]).to be_within(deviation * never * bytes).of(all * bytes)
          expect(group[:estimate]).to include(lowest: be < group[:count], highest: be > group[:count])
        end
        expect(result[:holders]).to be_within(20_000).of(50_000)
        expect(result[:evidence]).to include(sampled_by: "bytes", confidence: "high", reasons: include("sampled"))
        expect(result[:report]).to include("on average, of large ones more")
      end
    end
  end

  it "multiplies nothing where another tool has Ruby's tracer on beside it, which knows all objects" do
    LeakHunter.trace!(mode: :sampled)
    ObjectSpace.trace_object_allocations do
      first = LeakHunter::Heap.live
      kept = Array.new(1_000) { Object.new }
      line = __LINE__ - 1
      second = LeakHunter::Heap.live
      result = LeakHunter.diff(first, second, LeakHunter::Heap.live)
      groups = result[:groups].select { |it| it.values_at(:class, :line) == ["Object", line] }
      expect(groups.sum { |it| it[:count] }).to eq(kept.size)
      expect(result[:evidence]).to include(one_in: nil)
    end
  end

  it "says that some moments were sampled and others not" do
    LeakHunter.trace!(mode: :objspace)
    first = LeakHunter::Heap.live
    LeakHunter.untrace!
    LeakHunter.trace!(mode: :sampled)
    second = LeakHunter::Heap.live
    result = LeakHunter.diff(first, second, LeakHunter::Heap.live)
    expect(result[:evidence][:reasons]).to include("sampled", "mixed_tracers")
    expect(LeakHunter::Report.new(result).to_s).to match(/Some\s+moments\s+were\s+sampled\s+and\s+others\s+not/)
  end

  it "is one environment variable" do
    output = run_ruby("p LeakHunter.trace!(mode: :exact)[:mode], LeakHunter::Native.sampling[:every]",
                      env: { "LEAK_HUNTER_TRACER" => "sampled" })
    expect(output).to eq(":sampled\n64\n")
  end

  it "refuses what cannot be" do
    { { every: 0 } => /every: expected 1 to 1000000/, { budget: 2.0 } => /budget: expected a share of CPU time/,
      { by: :size } => /by: expected :allocations or :bytes, got :size/,
      { mode: :exact, every: 9 } => /by:, every: and budget: takes the mode :sampled/,
      { focus: "a.rb:1", every: 9 } => /focus: takes the mode :exact/ }.each do |options, message|
      expect { LeakHunter.trace!(**options) }.to raise_error(LeakHunter::UsageError, message)
    end
    expect(LeakHunter).not_to be_tracing
    LeakHunter.trace!(every: 9)
    expect { LeakHunter.trace!(every: 10) }.to raise_error(LeakHunter::UsageError, /samples otherwise already/)
    expect(LeakHunter.trace!).to include(mode: :sampled)
  end
end
