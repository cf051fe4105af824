# frozen_string_literal: true

require "delegate"
require "set"
require "weakref"

# What is looked at in these specs.
module EdgeNamesSpec
  CONSTANT = [:constant].freeze
  HIDDEN = [:hidden].freeze
  private_constant :HIDDEN

  class Holder
    @@class_variable = [:class_variable] # rubocop:disable Style/ClassVars
    @of_class = [:instance_variable]
    class << self
      attr_reader :of_class
    end
    def self.class_variable = @@class_variable

    def initialize(value)
      @value = value
    end
  end

  class Pair < Struct.new(:left, :right) # rubocop:disable Style/StructInheritance
    def left = raise
  end

  # Ends the process when any of its methods runs.
  class Hostile < BasicObject
    (instance_methods + %i[hash eql? to_s inspect class is_a? respond_to_missing? === to_str to_ary each])
      .each { |name| define_method(name) { |*| ::Kernel.abort("ran #{name}") } unless name.start_with?("__") }

    # rubocop:disable Style/MissingRespondToMissing -- it has one
    def method_missing(name, *) = ::Kernel.abort("ran #{name}")
    # rubocop:enable Style/MissingRespondToMissing
  end
end

RSpec.describe "LeakHunter::EdgeNames" do
  def between(parent, child, redact: false)
    LeakHunter::EdgeNames.between(parent, child, redact:)&.values_at(:kind, :name)
  end

  let(:child) { [:child] }

  it "says how it knows" do
    named = LeakHunter::EdgeNames.between(EdgeNamesSpec::Holder.new(child), child)
    expect(named).to be_frozen.and eq(kind: "instance_variable", name: "@value", named_by: "live")
  end

  it "says nothing where there is nothing to say" do
    expect(between(Object.new, child)).to be_nil
    expect(between(1, child)).to be_nil
    expect(between([], nil)).to be_nil
    expect(between({ a: [child] }, child)).to be_nil
  end

  it "names instance variables, of BasicObjects, delegators and collections too" do
    array = [1].tap { |it| it.instance_variable_set(:@extra, child) }
    expect(between(array, child)).to eq(["instance_variable", "@extra"])
    expect(between(SimpleDelegator.new(child), child)).to eq(["instance_variable", "@delegate_sd_obj"])
    blank = Class.new(BasicObject) { def initialize(value) = @blank = value }.new(child)
    expect(between(blank, child)).to eq(["instance_variable", "@blank"])
  end

  it "names what modules hold" do
    holder = EdgeNamesSpec::Holder
    expect(between(EdgeNamesSpec, EdgeNamesSpec::CONSTANT)).to eq(%w[constant CONSTANT])
    expect(between(EdgeNamesSpec, EdgeNamesSpec.const_get(:HIDDEN))).to eq(%w[constant HIDDEN])
    expect(between(Object, EdgeNamesSpec)).to eq(%w[constant EdgeNamesSpec])
    expect(between(holder, holder.class_variable)).to eq(["class_variable", "@@class_variable"])
    expect(between(holder, holder.of_class)).to eq(["instance_variable", "@of_class"])
    expect(between(Class.new(holder), holder)).to eq(%w[superclass superclass])
    expect(between(Class.new { include Comparable }, Comparable)).to eq(%w[included_module included_module])
  end

  it "names the method that a block became" do
    block = proc { child }
    expect(between(Class.new { define_method(:report, &block) }, block)).to eq(%w[method report])
    object = Object.new
    object.define_singleton_method(:report, &block)
    expect(between(object.singleton_class, block)).to eq(%w[method report])
  end

  it "names singleton classes and their objects" do
    object = Object.new
    singleton = object.singleton_class
    expect(between(object, singleton)).to eq(%w[singleton_class singleton_class])
    expect(between(singleton, object)).to eq(%w[attached_object attached_object])
    expect(between(object, Object)).to eq(%w[class class])
  end

  describe "Hashes" do
    def under(key, **options) = between({ 1 => 2, key => child }, child, **options)&.last

    it "name the key, briefly" do
      { key: "[:key]", "token" => '["token"]', 12 => "[12]", 1.5 => "[1.5]", nil => "[nil]", true => "[true]",
        String => "[String]", EdgeNamesSpec => "[EdgeNamesSpec]", ("x" * 41) => "[#<String>]", "ü\n" => '["ü\\n"]',
        [1, :a] => "[#<Array>]", EdgeNamesSpec::Holder.new(1) => "[#<EdgeNamesSpec::Holder>]",
        Class.new(EdgeNamesSpec::Holder).new(1) => "[#<EdgeNamesSpec::Holder>]", (2**4000) => "[#<Integer>]",
        "\xff".b => '["\\xFF"]' }.each { |key, text| expect(under(key)).to eq(text) }
    end

    it "keep what may be a secret to themselves, unless asked" do
      { "token" => "[#<String>]", 4111 => "[#<Integer>]", key: "[#<Symbol>]", nil => "[#<NilClass>]",
        String => "[String]" }.each do |key, text|
        expect([nil, true].map { |redact| under(key, redact:) }).to eq([text, text])
      end
    end

    it "tell keys, defaults and values apart" do
      block = proc { 1 }
      expect(between({ child => 1 }, child)).to eq(%w[hash_key key])
      expect(between(Hash.new(&block), block)).to eq(%w[default_proc default_proc])
      expect(between(Hash.new(child), child)).to eq(%w[hash_default default])
      expect(between({}.compare_by_identity.merge("a" => child), child)).to eq(["hash_value", '["a"]'])
      expect(between(ObjectSpace::WeakMap.new.tap { |map| map["k"] = child }, child)).to eq(["weakmap", '["k"]'])
    end

    it "can be written to by other threads meanwhile" do
      hash = Array.new(100_000) { |index| [index, Object.new] }.to_h
      last = hash.values.last
      writer = Thread.new { 20_000.times { |index| hash[-index] = 1 } }
      20.times { between(hash, last) }
      expect { writer.join }.not_to raise_error
    end
  end

  it "names indexes, members and ends" do
    expect(between([0, 1, child, child], child)).to eq(["array_element", "[2]"])
    expect(between(EdgeNamesSpec::Pair.new(child, 1), child)).to eq(["struct_member", ".left"])
    range = (+"a"..+"b")
    expect(between(range, range.begin)).to eq(%w[range_begin begin])
    expect(between(range, range.end)).to eq(%w[range_end end])
    expect(between(Queue.new << child, child)).to eq(%w[queue_element element])
    expect(between(SizedQueue.new(1) << child, child)).to eq(%w[queue_element element])
    set = Set[1, child]
    expect(between(set, child)).to eq(%w[set_element element])
    expect(between(set, Object.new)).to be_nil
  end

  it "names members of Data", if: RUBY_VERSION.to_f >= 3.2 do
    point = Class.new(Data.define(:x, :y)) { def x = raise }
    expect(between(point.new(x: 1, y: child), child)).to eq(["struct_member", ".y"])
  end

  it "names what blocks and methods have captured" do
    local = child
    block = proc { local }
    expect(between(block, child)).to eq(%w[local local])
    expect(between(block, self)).to eq(%w[self self])
    expect(between(binding, child)).to eq(%w[local local])
    expect(between(:upcase.to_proc, child)).to be_nil
    expect(between(child.method(:push), child)).to eq(%w[receiver receiver])
    expect(between(Array.instance_method(:push), Array)).to eq(%w[owner owner])
    expect(between(child.each, child)).to eq(%w[enumerator_receiver receiver])
    expect(between([1].each_slice(1), child)).to be_nil
    generator = ObjectSpace.reachable_objects_from(Enumerator.new(&block)).grep(Enumerator::Generator).first
    expect(between(generator, block)).to eq(%w[block block])
  end

  it "names what threads and fibers hold" do
    thread = Thread.new { Thread.stop }
    thread[:request] = child
    thread.thread_variable_set("odd name", other = [1])
    expect(between(thread, child)).to eq(["fiber_local", "[:request]"])
    expect(between(thread, other)).to eq(["thread_variable", ':"odd name"'])
    fiber = Fiber.new { (on_its_stack = []) && Fiber.yield(on_its_stack) }
    expect(between(fiber, fiber.resume)).to eq(["stack", "stack or local"])
    if Fiber.respond_to?(:[])
      named = Thread.new { Fiber[:tenant] = child and between(Fiber.current, child) }.value
      expect(named).to eq(["fiber_storage", "[:tenant]"])
    end
  ensure
    thread&.kill
  end

  it "names what exceptions hold" do
    cause = RuntimeError.new("first")
    error = begin
      raise(cause) rescue raise(KeyError.new("second", receiver: child, key: 1)) # rubocop:disable Style/RescueModifier
    rescue KeyError => e
      e
    end
    expect(between(error, cause)).to eq(%w[cause cause])
    expect(between(error, child)).to eq(%w[exception_receiver receiver])
    backtrace = ObjectSpace.reachable_objects_from(error).find { |object| Thread::Backtrace == object.class }
    expect(between(error, backtrace)).to eq(%w[exception_backtrace_locations backtrace_locations]) if backtrace
  end

  it "runs no code of the objects" do
    expect(run_ruby("#{File.read(__FILE__)[/^module EdgeNamesSpec.*?^end/m]}\n#{<<~'RUBY'}")).to eq("done")
      hostile = EdgeNamesSpec::Hostile.new
      other = EdgeNamesSpec::Hostile.new
      never = Module.new do
        %i[each index hash == === eql? equal? to_a to_h keys values members [] size inspect to_s name binding receiver
           instance_variables instance_variable_get constants class_variables singleton_class? ancestors begin end cause
           thread_variables thread_variable_get default default_proc class superclass source_location object_id]
          .each { |name| define_method(name) { |*| abort("ran #{name}") } }
      end
      parents = [[1], {}, Struct.new(:a).new(1), Class.new, Module.new, Thread.new { Thread.stop }, proc { 1 },
                 Object.new, Exception.new, +"text", Thread::Queue.new, [].each, Range.new(+"a", +"b")]
      parents.each do |parent|
        parent.singleton_class.prepend(never) unless parent.frozen?
        LeakHunter::EdgeNames.between(parent, hostile)
      end
      LeakHunter::EdgeNames.between(hostile, other)
      table = {}.compare_by_identity
      table[other] = hostile
      raise unless LeakHunter::EdgeNames.between(table, hostile)[:name] == "[#<EdgeNamesSpec::Hostile>]"
      raise unless LeakHunter::EdgeNames.between([1, hostile], hostile)[:name] == "[1]"
      print "done"
    RUBY
  end

  it "changes nothing in the objects" do
    holder = EdgeNamesSpec::Holder.new(child)
    count = ->(type) { ObjectSpace.each_object(type).count }
    between(holder, Object.new) # loads what it takes
    GC.disable # classes of other examples are garbage, and counted until they are collected
    before = [count[Class], holder.instance_variables]
    between(holder, Object.new)
    expect([count[Class], holder.instance_variables]).to eq(before)
  ensure
    GC.enable
  end

  it "gives up when it takes too long" do
    huge = Array.new(3_000_000)
    start = Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID)
    expect(between(huge << child, child)).to be_nil
    expect(between((0..2_000_000).to_h { |number| [number, number] }.merge(1 => child), child)).to be_nil
    expect(Process.clock_gettime(Process::CLOCK_THREAD_CPUTIME_ID) - start).to be < 5
  end

  it "keeps nothing alive" do
    expect(run_ruby(<<~'RUBY').to_i).to be < 20
      class Leaf; end
      class Tree; def initialize(leaf) = @leaf = leaf; end
      def look
        100.times do
          leaf = Leaf.new
          block = proc { leaf }
          parents = [Tree.new(leaf), [leaf], { leaf => 1 }, { Leaf.new => leaf }, block, leaf.method(:to_s), [leaf].each,
                     Struct.new(:leaf).new(leaf), Thread::Queue.new << leaf]
          raise unless parents.all? { |parent| LeakHunter::EdgeNames.between(parent, leaf) || parent.is_a?(Enumerator) }
        end
      end
      Thread.new { look }.join
      4.times { GC.start }
      print ObjectSpace.each_object(Leaf).count
    RUBY
  end
end
