# frozen_string_literal: true

require "json"
require "open3"
require "objspace"
require "rbconfig"

# LeakHunter's own tracer. ObjectSpace's is the oracle.
RSpec.describe LeakHunter::Tracing::Exact do
  script = File.expand_path("../fixtures/tracing/oracle.rb", __dir__)

  compare = lambda do |seed, options|
    out, err, status = Open3.capture3(RbConfig.ruby, script, seed.to_s, JSON.generate(options))
    raise "seed #{seed}: #{status}\n#{err.lines.first(40).join}" unless status.success?

    JSON.parse(out, symbolize_names: true)
  end

  def held = LeakHunter::Native.traced

  def allocation(object) = LeakHunter::Tracing.allocation(object)

  describe "of every object, knows file, line, method and generation as ObjectSpace does:" do
    [
      ["code compiled under ever new paths, names made at run time, C code, finalizers", 1..2, {}],
      ["threads and fibers", [11], { threads: true }],
      ["in a dump", [12], { threads: true, dump: true }],
      ["a collection at every allocation", [21], { stress: true, objects: 40 }]
    ].each do |name, seeds, options|
      seeds.each do |seed|
        it "#{name} (seed #{seed})" do
          result = compare.call(seed, options)
          expect(result[:samples]).to eq([])
          expect(result).to include(wrong: 0, compared: be > 100)
          expect(result[:held]).to include(missed_allocations: 0, not_recorded: 0)
        end
      end
    end

    # Before Ruby 3.4 ObjectSpace forgets these, or takes one for another: what it said before is the truth.
    [["moved by GC.compact", 31, { compact: true }],
     ["moved by GC.compact, in a dump", 32, { compact: true, dump: true }],
     ["moved by GC.auto_compact at any time", 41, { auto_compact: true, threads: true }]].each do |name, seed, options|
      it "#{name} (seed #{seed})" do
        result = despite_known_bug { compare.call(seed, options) }
        expect(result[:samples]).to eq([])
        expect(result).to include(wrong: 0, compared: be > 500, moved: be > 500)
      end
    end
  end

  context "when it is on" do
    before { LeakHunter.trace!(mode: :exact) }

    it "leaves ObjectSpace's tracing alone, and is left alone by it" do
      before = Object.new
      during = inside = nil
      ObjectSpace.trace_object_allocations do
        during = Object.new
        expect(ObjectSpace.allocation_sourceline(during)).to eq(__LINE__ - 1)
        LeakHunter.trace! { inside = Object.new }
        ObjectSpace.trace_object_allocations_clear
      end
      expect([before, during, inside].map { |object| allocation(object)&.fetch(:file) }).to all(eq(__FILE__))
      expect(ObjectSpace.allocation_sourceline(Object.new)).to be_nil
    end

    it "says where an object was made in the words of ObjectSpace" do
      GC.disable # so that it is of this generation
      object, line, generation = eval("[Object.new, __LINE__, GC.count]", binding, "/made/up.rb", -3) # rubocop:disable Style/EvalWithLocation
      expect(allocation(object)).to eq(file: "/made/up.rb", line:, method: :new, generation:)
      expect(allocation(:symbol)).to be_nil
      expect(allocation(1)).to be_nil
    ensure
      GC.enable
    end

    it "knows in which context objects were made" do
      some, others, none = %w[orders users].map { |name| LeakHunter.context(name) { Array.new(9) { +"x" } } } << [+"x"]
      expect([some, others, none].map { |all| allocation(all.last)[:context] }).to eq(["orders", "users", nil])
    end

    it "tells a diff through which contexts what leaked was made" do
      first = LeakHunter.mark
      leak = %w[orders orders users].flat_map { |name| LeakHunter.context(name) { Array.new(100) { Object.new } } }
      result = LeakHunter.diff(first, LeakHunter.mark, LeakHunter::Heap.live, holders: false)
      group = result[:groups].find { |it| it[:file] == __FILE__ && it[:class] == "Object" }
      expect(group[:count]).to eq(leak.size)
      expect(group[:contexts].map { |it| it.values_at(:context, :count) }).to eq([["orders", 200], ["users", 100]])
    end

    it "knows in a forked child what was made before and after the fork" do
      kept = Array.new(1_000) { Object.new }
      before = kept.map { |object| allocation(object) }
      output = IO.popen("-") do |pipe|
        next pipe.read if pipe

        GC.start
        line = __LINE__ + 1
        made = Array.new(1_000) { Object.new }
        print(kept.map { |object| allocation(object) } == before)
        print(made.all? { |object| allocation(object)[:line] == line })
        $stdout.flush
        exit!
      end
      expect(output).to eq("truetrue")
      expect(kept.map { |object| allocation(object) }).to eq(before)
    end

    it "knows what many forked children at once have made" do
      children = Array.new(20) do
        fork do
          GC.start
          exit!(Array.new(5_000) { Object.new }.all? { |object| allocation(object) } ? 0 : 1)
        end
      end
      expect(children.map { |child| Process.wait2(child).last.exitstatus }).to all(eq(0))
    end

    it "keeps nothing alive: compiled code and its path are collected" do
      path = "/gone/#{rand}.rb"
      # on a stack that ends: the collector takes what is left on one for references
      Thread.new { eval("$made = Object.new", nil, path, 1) }.join # rubocop:disable Style/EvalWithLocation
      3.times { GC.start }
      left = ObjectSpace.each_object(RubyVM::InstructionSequence).count { |code| code.path == path }
      expect(left).to eq(0)
      expect(allocation($made)[:file]).to eq(path) # rubocop:disable Style/GlobalVars
    end

    it "misses no event, and knows it" do
      50_000.times { |number| "#{number}" * 9 } # rubocop:disable Style/RedundantInterpolation
      GC.start
      GC.compact if GC.respond_to?(:compact)
      expect(held).to include(missed_allocations: 0, missed_frees: 0, dropped: 0, not_recorded: 0)
    end

    it "is shown as tracing by the ledger's words, with the bytes it takes" do
      kept = Array.new(50_000) { Object.new }
      tracer = LeakHunter::Heap.live(names: false).find { |object| object.class_name == "LeakHunter::Native::Tracer" }
      expect(tracer.memsize).to be_between(8 * kept.size, held[:memory] * 1.2)
    end
  end

  # In processes of their own: what another example has left in the heap decides how full its pages are, and when
  # garbage is collected.
  describe "its tables" do
    def numbers(program)
      JSON.parse(run_ruby(<<~RUBY), symbolize_names: true)
        require "json"
        def held = LeakHunter::Native.traced
        LeakHunter.trace!(mode: :exact)
        #{program}
      RUBY
    end

    it "take 12 bytes a living object at most" do
      result = numbers(<<~RUBY)
        kept = Array.new(200_000) { Object.new }
        3.times { GC.start }
        puts held.to_json
      RUBY
      expect(result[:objects]).to be >= 200_000
      expect(result[:memory].fdiv(result[:objects])).to be <= 12
    end

    it "give memory back when objects die" do
      before, after = numbers(<<~RUBY)
        GC.start
        before = held
        Array.new(300_000) { Object.new }.clear
        3.times { GC.start }
        puts [before, held].to_json
      RUBY
      expect(after[:objects]).to be < before[:objects] + 50_000
      expect(after[:memory]).to be < before[:memory] + 1_000_000
    end

    # Garbage that is not collected yet has places, too.
    it "do not grow by code that is compiled again and again under new names" do
      before, after, line = numbers(<<~'RUBY')
        eval_some = lambda do |from|
          40_000.times do |number|
            GC.start if (number % 4_000).zero?
            eval("Object.new", nil, "/template/#{from + number}.erb", 1)
          end
        end
        2.times { |round| eval_some.call(round * 40_000) }
        before = held
        3.times { |round| eval_some.call((round + 2) * 40_000) }
        puts [before, held, LeakHunter::Tracing.allocation(Object.new)[:line]].to_json
      RUBY
      expect(after[:places]).to be < 70_000
      expect(after[:memory]).to be < before[:memory] * 1.5
      expect(line).to be_positive
    end

    it "are given back each time in a thousand starts and stops" do
      before, after = numbers(<<~RUBY)
        cycle = lambda do |_|
          LeakHunter.trace!(mode: :exact)
          Array.new(50) { Object.new }
          LeakHunter.untrace!
        end
        200.times(&cycle)
        GC.start
        before = [held[:memory], GC.stat(:heap_live_slots)]
        1_000.times(&cycle)
        GC.start
        puts [before, [held[:memory], GC.stat(:heap_live_slots)]].to_json
      RUBY
      expect(after.first).to eq(before.first)
      expect(after.last).to be < before.last + 2_000
    end
  end
end
