# frozen_string_literal: true

require "leak_hunter/process_identity"
require "set"
require "timeout"

# What names cost, in calls of methods: they grow with the data at most as fast as it does, and end when their time is
# over, whatever the data.
RSpec.describe "Names of living objects" do
  # @return [Integer] calls of Ruby's methods and of LeakHunter's
  def calls(&)
    count = 0
    TracePoint.new(:call, :c_call) { count += 1 }.enable(target_thread: Thread.current, &)
    count
  end

  # @param made [Array, Object] objects, threads among them
  def stop(made) = Array(made).grep(Thread).each { |thread| thread.kill.join }

  parents = {
    "an Array" => ->(size) { Array.new(size) },
    "a Hash" => ->(size) { Array.new(size) { |index| [index, index] }.to_h },
    "a Set" => ->(size) { Set.new(0...size) },
    # of a class of its own: on Ruby 3.1 every object has room for as many as its class has ever had
    "an object with instance variables" => lambda do |size|
      Class.new.new.tap { |object| size.times { |index| object.instance_variable_set("@v#{index}", index) } }
    end,
    "a module with constants" => lambda do |size|
      Module.new.tap { |mod| size.times { |index| mod.const_set("C#{index}", index) } }
    end,
    "a module with autoloads" => lambda do |size|
      Module.new.tap { |mod| size.times { |index| mod.autoload("C#{index}", "/never") } }
    end,
    "a class with methods" => lambda do |size|
      Class.new.tap { |type| size.times { |index| type.define_method("m#{index}") { index } } }
    end,
    "a thread with locals" => lambda do |size|
      Thread.new { Thread.stop }.tap { |thread| size.times { |index| thread["local#{index}"] = index } }
    end,
    "a closure" => lambda do |size|
      code = Array.new(size) { |index| "v#{index} = #{index}\n" }.join
      eval("#{code}binding", nil, __FILE__, __LINE__) # rubocop:disable Security/Eval
    end
  }

  searched = lambda do |parent, child, **limits|
    limit = LeakHunter::EdgeNames::Limit.new(**limits)
    LeakHunter::EdgeNames.look(parent, LeakHunter::EdgeNames::Search.new(child, redact: false, limit:))
  end

  parents.each do |name, make|
    describe name do
      after { stop(@made) }

      def made(parent)
        @made = [*@made, parent]
        parent
      end

      it "is searched in linear time" do
        child = proc { 1 }
        small, large = [500, 2000].map do |size|
          parent = made(make.call(size))
          calls { expect(searched.call(parent, child, seconds: 600, steps: 10**9)).to be_nil }
        end
        expect(large).to be < (4.5 * small)
      end

      it "is searched within limits" do
        child = proc { 1 }
        parent = made(make.call(5_000))
        expect(searched.call(parent, child, steps: 100)).to be_nil
        expect(calls { searched.call(parent, child, steps: 100) }).to be < 10_000
        expect(calls { searched.call(parent, child, seconds: 0) }).to be < 10_000
      end
    end
  end

  it "are looked for in a Hash of any size and beside any number of Symbols, and then the search is given up" do
    huge = (0..1_000_000).to_h { |index| [index, index] }
    expect(calls { searched.call(huge, Object.new, seconds: 600) }).to be < 10_000
    symbols = Array.new(50_000) { |index| :"Symbol#{index}" }
    expect(calls { searched.call(Module.new, Object.new, seconds: 0) }).to be < 10_000
    expect(symbols.size).to eq(50_000)
  end

  describe "in dumps" do
    def ledger(seconds) = LeakHunter::Recorder::Names::Ledger.new(seconds)

    of_module = ->(mod, ledger) { LeakHunter::Recorder::Names::Modules.read_module(mod, ledger) }
    of_threads = ->(_, ledger) { LeakHunter::Recorder::Names::Threads.read(ledger) }
    data = {
      "constants" => [parents["a module with constants"], of_module],
      "autoloads" => [parents["a module with autoloads"], of_module],
      "instance variables of a class" => [lambda do |size|
        Class.new.tap { |type| size.times { |index| type.instance_variable_set("@v#{index}", []) } }
      end, of_module],
      "thread-locals" => [parents["a thread with locals"], of_threads],
      "threads" => [->(size) { Array.new(size / 20) { Thread.new { Thread.stop } } }, of_threads]
    }

    data.each do |name, (make, read)|
      it "are read in linear time: #{name}" do
        small, large = [1000, 4000].map do |size|
          made = make.call(size)
          calls { read.call(made, ledger(600)) }.tap { stop(made) }
        end
        expect(large).to be < (5.5 * small)
      end

      it "are not read when there is no time: #{name}" do
        made = make.call(8_000)
        count = calls { expect { read.call(made, ledger(0)) }.to throw_symbol(:late) }
        expect(count).to be < 10_000
        stop(made)
      end
    end

    it "are not read from any source when there is no time" do
      LeakHunter::Recorder::Names::SOURCES.each do |source|
        expect(calls { catch(:late) { source.read(ledger(0)) } }).to be < 20_000
      end
    end
  end

  it "are looked for until the caller is interrupted" do
    here = LeakHunter::ProcessIdentity
    lists = Array.new(60) { Array.new(200_000) << Object.new }
    addresses = lists.map { |list| [list, list.last].map { |object| address_of(object) } }
    paths = addresses.map do |pair|
      pair.map { |address| { address:, class: "Array", type: "ARRAY", edge: { kind: "reference", name: nil } } }
    end
    holders = paths.map { |path| { path:, other_paths: [], position: 0 } }
    recorded = { boot: here.boot, pid: Process.pid, host: here.host }
    asking = Thread.new do
      Thread.current.report_on_exception = false
      LeakHunter::Holders::LiveNames.add({ dumps: [{ recorded: }], holders: }, redact: false)
    end
    Thread.pass until asking.stop?
    asking.raise(Timeout::Error, "enough")
    expect { asking.join }.to raise_error(Timeout::Error, "enough")
    expect(lists.size).to eq(60)
  end

  def address_of(object) = "0x#{Kernel.instance_method(:to_s).bind_call(object)[/0x0*(\h+)>/, 1]}"
end
