# frozen_string_literal: true

require "objspace"
require "timeout"

# The heap of this process, read without a dump. Dumps of the same moment are the oracle.
RSpec.describe LeakHunter::Heap, ".live" do
  def address_of(object) = ObjectSpace.dump(object)[/0x\h+/].hex

  it "says the same as a dump of the same moment, of every object" do
    output = run_ruby(<<~'RUBY', File.join(Dir.tmpdir, "leak_hunter-live-#{Process.pid}.json"))
      require "objspace"
      LeakHunter.trace!(mode: :objspace) # of which dump_all knows
      class User
        def initialize(name) = @name = name
      end
      KEPT = Array.new(2_000) { |number| User.new("user #{number} " * 4) }
      BY_USER = KEPT.to_h { |user| [user, [user] * 9] }
      ANONYMOUS = Class.new { attr_accessor :at }.new
      KEPT.last.singleton_class.include(Comparable)
      KEPT << Struct.new(:one).new(ANONYMOUS) << ANONYMOUS.method(:at) << proc { ANONYMOUS } << 2**70 << 1r << 1i
      LARGE = "x" * 5_000_000

      def both
        text = ObjectSpace.dump_all(output: :string)
        [text, LeakHunter::Heap.live(gc: false, names: false)]
      end
      CALL = __LINE__ - 2

      # what the two make and remember themselves is made before
      3.times { both[0].clear }
      GC.start
      GC.disable
      text, live = both
      File.binwrite(ARGV[0], text)
      dump = LeakHunter::Heap.load(ARGV[0])

      # the VM does not touch what waits for its finalizer, nor does the walk
      addresses = [dump.reject { |object| object.type == "ZOMBIE" }, live].map { |heap| heap.map(&:address) }
      puts "only in the dump: #{(addresses[0] - addresses[1]).map { |it| dump.find(it) }}"
      made = (addresses[1] - addresses[0]).map { |it| live.find(it) }
      own = made.reject do |object|
        object.type == "IMEMO" || object.memsize > text.bytesize ||
          # Ruby makes an empty one for the options of the call
          (object.type == "HASH" && object.length < 8 && object.site&.values_at(:file, :line) == ["-e", CALL]) ||
          object.site&.fetch(:file)&.match?(/leak_hunter|<internal:|securerandom/)
      end
      puts "only in the walk: #{own}"
      look = lambda do |object|
        { type: object.type, class: object.class_name, klass: object.klass&.address, memsize: object.memsize,
          generation: object.generation, site: object.site, length: object.length,
          references: object.references.map(&:address) }
      end
      tracer = text[%r{^\{"address":"(0x\h+)", "type":"DATA"[^\n]*"struct":"ObjectTracing/allocation_info_tracer"}, 1]
      differences = (addresses[0] & addresses[1]).filter_map do |address|
        one, two = [dump, live].map { |heap| look[heap.find(address)] }
        # its tables grow with what is allocated between the two
        [one, two].each { |it| it.delete(:memsize) } if address == tracer
        # what was on the stack of the running thread
        [one, two].each { |it| it.delete(:references) } if %w[Thread Fiber fiber VM/thread env].include?(one[:class])
        [one, two] if one != two
      end
      puts "different: #{differences}"
      puts "same: #{(addresses[0] & addresses[1]).size > 10_000}"
      # Besides the stack, what the VM found for calls from C is of its moment: a table by address, in which two throw
      # each other out.
      roots = [dump, live].map do |heap|
        heap.roots.except("machine_context").transform_values do |list|
          list.reject { |object| object.class_name == "callcache" }.map(&:address)
        end
      end
      roots[0].merge(roots[1]).each_key do |category|
        lists = roots.map { |root| root.fetch(category, []) }
        next if lists[0] == lists[1]

        puts "roots: #{category} #{(lists[0] - lists[1]).map { |it| dump.find(it) }} #{(lists[1] - lists[0]).map { |it| live.find(it) }}"
      end
      puts "roots compared: #{%w[vm global_tbl].all? { |category| roots[0][category].any? }}"
      users = live.instances_of("User").to_a
      puts "users: #{users.size} #{users[0].site[:line]} #{live.find(live.instances_of("User").first.address).class_name}"
      puts "anonymous: #{live.classes.map { |row| row[:class] }.grep(/#<Class:-e:\d+>/).size}"
      File.delete(ARGV[0])
    RUBY
    expect(output).to eq(<<~TEXT)
      only in the dump: []
      only in the walk: []
      different: []
      same: true
      roots compared: true
      users: 2000 6 User
      anonymous: 2
    TEXT
  end

  it "has nothing in it that nothing leads to" do
    output = run_ruby(<<~RUBY)
      ObjectSpace.define_finalizer(+"", proc {})
      heaps = Array.new(3) { LeakHunter::Heap.live }
      p heaps.map { |heap| [heap.unreachable, heap.dangling] }
    RUBY
    expect(output).to eq("[[0, 0], [0, 0], [0, 0]]\n")
  end

  describe "what it tells" do
    before { LeakHunter.trace! }

    it "knows an object that was just made, and who holds it", :addresses do
      kept = Array.new(20) { |number| "live #{number} " * 10 }
      line = __LINE__ - 1
      heap = described_class.live
      string = heap.find(address_of(kept[7]))
      expect(string).to have_attributes(type: "STRING", class_name: "String", memsize: ObjectSpace.memsize_of(kept[7]))
      expect(string.site).to include(file: __FILE__, line:)
      expect(string.generation).to be_between(0, heap.generation)
      array = heap.find(address_of(kept))
      expect(array.length).to eq(20)
      expect(array.references).to include(string)
      expect(string.referrers).to include(array)
      expect(string.path_to_root.last[:address]).to eq(string.address)
      expect(kept.size).to eq(20)
    end

    it "has the moment: the process, the generation, the pause" do
      before = GC.count
      start = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      heap = described_class.live
      elapsed = Process.clock_gettime(Process::CLOCK_MONOTONIC) - start
      expect(heap.generation).to be_between(before + 1, GC.count)
      expect(heap.recorded).to include(pid: Process.pid, snapshot: "live", ruby: RUBY_VERSION)
      expect(described_class.live.recorded[:sequence]).to eq(heap.recorded[:sequence] + 1)
      expect(heap.pause).to be_between(0, elapsed)
      expect(heap.path).to be_nil
      expect(heap).to be_sites
      expect(heap.inspect).to include("of this process")
    end

    it "knows as much of allocations when it asks for each as when it reads them in order" do
      output = run_ruby(<<~RUBY)
        LeakHunter.trace!
        KEPT = Array.new(3_000) { |number| [number.to_s] }
        take = lambda do |ask|
          facts = LeakHunter::Heap.const_get(:Live).send(:facts)
          LeakHunter::Native.live("", facts.merge(threads: 1, collections: 1, ask_for_sites: ask))[0]
        end
        asked, read = [take[true], take[false]].map do |heap|
          KEPT.flatten.map { |text| ObjectSpace.dump(text)[/0x\\h+/].hex }.map do |address|
            number = heap.find(address)
            [heap.site_of(number), heap.generation_of(number)]
          end
        end
        p asked == read, asked.size, asked.flatten.include?(nil)
      RUBY
      expect(output).to eq("true\n3000\nfalse\n")
    end

    it "knows what constants and variables are called, unless that is not wanted" do
      output = run_ruby(<<~RUBY)
        KEPT = [Object.new]
        [true, false].each do |names|
          heap = LeakHunter::Heap.live(names:)
          step = heap.find(ObjectSpace.dump(KEPT[0])[/0x\\h+/]).path_to_root[-2]
          p step[:edge].values_at(:kind, :name)
        end
      RUBY
      expect(output).to eq("[\"constant\", \"KEPT\"]\n[\"reference\", nil]\n")
    end

    it "shows no garbage, even where collection is off, unless it is told not to collect it" do
      code = <<~'RUBY'
        class Garbage; end
        GC.start
        GC.disable
        1.times { 500.times { Garbage.new } }
        puts LeakHunter::Heap.live(gc: ARGV[0] == "true").instances_of("Garbage").count
      RUBY
      expect(run_ruby(code, "false").to_i).to eq(500)
      expect(run_ruby(code, "true").to_i).to be <= 2 # what is left on the stack
    end
  end

  it "knows no places of what was not traced, nor those that a stopped tracer left behind" do
    output = run_ruby(<<~RUBY)
      untraced = LeakHunter::Heap.live
      LeakHunter.trace!(mode: :objspace)
      kept = Array.new(100) { Object.new }
      ObjectSpace.trace_object_allocations_stop
      p [untraced, LeakHunter::Heap.live].map { |heap| heap.count { |object| object.site || object.generation } }
      p kept.size
    RUBY
    expect(output).to eq("[0, 0]\n100\n")
  end

  describe "in a living process" do
    it "keeps nothing alive" do
      output = run_ruby(<<~RUBY)
        map = ObjectSpace::WeakMap.new
        # on a thread of its own, whose stack is gone
        heap = Thread.new do
          kept = Array.new(50) { |number| +"kept \#{number}" }
          kept.each { |text| map[text] = text }
          LeakHunter::Heap.live
        end.value
        3.times { GC.start }
        p heap.size.positive?, map.size <= 2
      RUBY
      expect(output).to eq("true\ntrue\n")
    end

    it "leaves collections on or off as they were" do
      described_class.live
      expect(GC.disable).to be(false)
      described_class.live
      expect(GC.enable).to be(true)
    end

    it "may be taken beside busy threads, by several at once, and in a forked child" do
      output = run_ruby(<<~RUBY)
        stop = false
        busy = Thread.new { [Object.new, +"text"].hash until stop }
        sizes = Array.new(3) { Thread.new { LeakHunter::Heap.live.size } }.map(&:value)
        child = fork { exit!(LeakHunter::Heap.live.top(limit: 1).size == 1 ? 0 : 1) }
        p sizes.all?(&:positive?), Process.wait2(child)[1].exitstatus
        stop = true
        busy.join
      RUBY
      expect(output).to eq("true\n0\n")
    end

    it "can be compared over time, and let go of" do
      output = run_ruby(<<~RUBY)
        resident = -> { File.read("/proc/self/statm").split[1].to_i * 4096 }
        take = lambda do |times|
          times.times { LeakHunter::Heap.live }
          GC.start
          resident.call
        end
        before = take.call(20)
        puts take.call(200) - before
      RUBY
      # A heap of this process is about 6 MB: a fortieth of each would show.
      expect(output.to_i).to be < 30 * (1024**2)
    end

    it "is not taken beside other Ractors, where Ruby cannot stop them" do
      output = run_ruby(<<~RUBY, options: %w[-W:no-experimental])
        other = Ractor.new { Ractor.respond_to?(:receive) && Ractor.receive }
        [-> { LeakHunter::Heap.live }, -> { LeakHunter::Native.objects_at([8]) }].each do |call|
          call.call
          puts "taken"
        rescue LeakHunter::Unsupported => e
          puts e.message[/other Ractors/]
        end
        other.send(nil)
      RUBY
      expect(output).to eq((RUBY_VERSION < "4" ? "other Ractors\n" : "taken\n") * 2)
    end

    it "refuses what makes no sense" do
      expect { described_class.live(threads: "many") }.to raise_error(LeakHunter::UsageError, /threads/)
    end
  end

  describe "LeakHunter::Native.objects_at", :addresses do
    def objects_at(*addresses) = LeakHunter::Native.objects_at(addresses)

    it "finds living objects by their addresses, in the order in which they are asked for" do
      kept = [Object.new, +"text", [1], { one: 1 }, String, Comparable, 2**70, proc {}, 1..2, :"dynamic #{rand}"]
      addresses = kept.map { |object| address_of(object) }
      expect(objects_at(*addresses)).to eq(kept)
      expect(objects_at(*addresses.reverse, addresses[0])).to eq([*kept.reverse, kept[0]])
      expect(objects_at).to eq([])
    end

    it "answers nil where there is none, or none that Ruby code may see" do
      text = +"text"
      GC.disable # else their slots are free for others
      heap = described_class.live(gc: false)
      hidden = heap.lazy.select { |object| %w[IMEMO ICLASS].include?(object.type) || object.klass.nil? }.first(200)
      addresses = [0, 8, address_of(text) + 8, 2**63, (2**64) - 8, *hidden.map { |object| object.address.hex }]
      expect(objects_at(*addresses).compact).to be_empty
      expect(text).to eq("text")
    ensure
      GC.enable
    end

    it "is safe while everything is collected at every turn" do
      kept = Array.new(50) { |number| +"kept #{number}" }
      addresses = kept.map { |object| address_of(object) }
      found = begin
        GC.stress = true
        Array.new(3) { LeakHunter::Native.objects_at(addresses) }
      ensure
        GC.stress = false
      end
      GC.start
      expect(found).to eq([kept] * 3)
    end

    it "refuses what is no address" do
      expect { objects_at(-1) }.to raise_error(RangeError)
      expect { objects_at("x") }.to raise_error(TypeError)
    end
  end
end
