# frozen_string_literal: true

require "objspace"

# Compiled code is read in place on Ruby 3.1. The VM's own answer, in a dump of the same moment, is the oracle.
RSpec.describe LeakHunter::Heap, ".live of compiled code" do
  def differences(program)
    output = run_ruby(<<~RUBY, File.join(Dir.tmpdir, "leak_hunter-code-#{Process.pid}.json"))
      require "objspace"
      #{program}

      def both
        text = ObjectSpace.dump_all(output: :string)
        [text, LeakHunter::Heap.live(gc: false, names: false)]
      end
      # what the two make and remember themselves is made before
      3.times { both[0].clear }
      GC.start
      GC.disable
      text, live = both
      File.binwrite(ARGV[0], text)
      dump = LeakHunter::Heap.load(ARGV[0])
      File.delete(ARGV[0])
      code = dump.select { |object| object.type == "IMEMO" && object.class_name == "iseq" }
      different = code.reject do |object|
        other = live.find(object.address)
        other && [object, other].map { |it| [it.memsize, it.references.map(&:address).sort] }.uniq.size == 1
      end
      puts "\#{different.size} of \#{code.size > 1_000}"
      different.first(3).each { |object| p object.references.map(&:to_s) - live.find(object.address).references.map(&:to_s) }
    RUBY
    output.lines.map(&:chomp)
  end

  it "sees what every kind of instruction, cache and table refers to" do
    expect(differences(<<~'RUBY')).to eq(["0 of true"])
      require "set"; require "json"; require "optparse"; require "erb"; require "ripper"
      class Everything
        LIST = %w[a b].freeze
        @@shared = Object.new
        attr_accessor :kept
        def strings = ["literal", :"sym#{1 + 1}", /a#{2}/o, "x".freeze, 1.5, 2**70, 1r, 1i, 10_000_000_000_000]
        def cases(it) = case it when "one" then 1 when :two then 2 when 3.5 then 3 else 0 end
        def caught = (Integer("x") rescue begin; raise "y"; rescue RuntimeError; 1; ensure; @kept = 2; end)
        def keywords(one:, two: [], three: "three", four: 4.5, five: :five) = [one, two, three, four, five]
        def shared = @@shared
        def constants = [LIST, ::Comparable, Everything::LIST, Math::PI]
        def blocks = LIST.map { |it| [it].each { |inner| inner.then { LIST } } }
        def looping = (while true; break LIST; end)
        def supers(...) = method_missing(...)
        def method_missing(name, *) = name == :zero ? super : LIST
        def flip(n) = n.select { |i| true if (i == 2)..(i == 4) }
        def pattern(it) = (it in {name: String => name, at: [Integer, *]}) && name
        def self.define = define_method(:made) { LIST }
        define
      end
      3.times do |round|
        e = Everything.new
        e.strings; e.cases("one"); e.caught; e.keywords(one: round); e.shared; e.constants; e.blocks; e.looping
        e.supers(1); e.flip([1, 2, 3, 4, 5]); e.pattern({ name: "x", at: [1] }); e.made
        eval("def later#{round}(x = /#{round}/o) = [x, LIST, #{round}.0]", nil, "later.rb", round)
        Everything.class_eval("def more#{round} = [@kept, @@shared, LIST]") and e.public_send("more#{round}")
      end
    RUBY
  end

  it "asks the VM about code that is watched, or evaluates something once at that moment" do
    expect(differences(<<~'RUBY')).to eq(["0 of true"])
      def slowly = (sleep; "x")
      def once = /#{slowly}/o
      WAITING = Thread.new { once }
      sleep 0.01 until WAITING.status == "sleep"
      def watched = [1].map { |it| it + 1 }
      POINT = TracePoint.new(:line) {}
      POINT.enable(target: method(:watched))
      watched
      HELD = RubyVM::InstructionSequence.of(method(:watched))
    RUBY
  end

  it "agrees while methods are redefined and undefined, so that caches become invalid" do
    expect(differences(<<~'RUBY')).to eq(["0 of true"])
      $VERBOSE = nil
      class Redefined
        def called = 1
        def caller = called
      end
      CALLED = Array.new(50) do |round|
        value = Redefined.new.caller
        Redefined.class_eval("def called = #{round}")
        type = Class.new(Redefined) { def called = super }
        [type, type.new.caller, value]
      end
      Redefined.send(:remove_method, :called)
      GC.compact if GC.respond_to?(:compact) && RUBY_VERSION >= "3.2"
    RUBY
  end
end
