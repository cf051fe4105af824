# frozen_string_literal: true

require "timeout"

RSpec.describe LeakHunter::Context do
  def current = described_class.current
  def within(name, &) = LeakHunter.context(name, &)

  it "is the innermost of nested ones, and none outside" do
    seen = [current]
    within("outer") do
      seen << current
      within(:inner) { seen << current }
      seen << current
    end
    expect(seen.push(current)).to eq([nil, "outer", "inner", "outer", nil])
  end

  it "returns what the block returned, and passes nothing to it" do
    expect(within("a") { |*args| args }).to eq([])
  end

  it "ends however the block ends" do
    begin
      within("raised") { raise "x" }
    rescue StandardError
      expect(current).to be_nil
    end
    catch(:done) { within("thrown") { throw :done } }
    expect(current).to be_nil
    [1].each { within("broken") { break } }
    expect(current).to be_nil
    returned = -> { within("returned") { return current } }
    expect([returned.call, current]).to eq(["returned", nil])
    within("outer") do
      expect { Timeout.timeout(0.01) { within("late") { sleep } } }.to raise_error(Timeout::Error)
      expect(current).to eq("outer")
    end
  end

  it "ends when the thread is killed in it, also one that cleans up there" do
    seen = Queue.new
    thread = Thread.new do
      within("outer") do
        within("killed") do
          seen << current
          sleep
        ensure
          seen << current
        end
      ensure
        seen << current
      end
    end
    seen.pop
    thread.kill.join
    expect([seen.pop, seen.pop]).to eq(%w[killed outer])
    # native threads are used again
    expect(Array.new(20) { Thread.new { [current, Fiber.new { current }.resume] }.value }.flatten.compact).to be_empty
  end

  describe "of threads and fibers" do
    it "belongs to one thread" do
      within("parent") do
        child = Thread.new { [current, within("child") { Thread.pass || current }] }
        expect([child.value, current]).to eq([[nil, "child"], "parent"])
      end
    end

    it "is right in many threads that are switched all the time" do
      wrong = Array.new(8) do |number|
        Thread.new do
          Array.new(200) do |round|
            name = "thread #{number}, #{round % 5}"
            within(name) do
              Thread.pass
              current == name ? nil : [name, current]
            end
          end
        end
      end
      expect(wrong.flat_map(&:value).compact).to be_empty
    end

    it "stays with the fiber that entered it, whoever resumes that" do
      fiber = Fiber.new do
        within("fiber's") do
          Fiber.yield current
          Fiber.yield current
        end
        current
      end
      seen = [fiber.resume, current]
      within("resumer's") { seen << fiber.resume << current }
      seen << fiber.resume << current
      # it began in none
      expect(seen).to eq(["fiber's", nil, "fiber's", "resumer's", nil, nil])
    end

    it "is what a fiber begins in, and keeps" do
      fiber = Fiber.new { 3.times { Fiber.yield current } }
      seen = [within("first") { fiber.resume }, within("second") { fiber.resume }, fiber.resume]
      expect(seen).to eq(%w[first first first])
    end

    it "is not taken from a fiber that yields" do
      fiber = Fiber.new { within("fiber's") { Fiber.yield } }
      fiber.resume
      expect([current, Fiber.new { current }.resume]).to eq([nil, nil])
    end

    it "is that of who asks an Enumerator first" do
      numbers = Enumerator.new { |yielder| loop { yielder << current } }
      expect(within("request") { [numbers.next, numbers.next] }).to eq(%w[request request])
      expect(numbers.next).to eq("request")
      expect(current).to be_nil
    end

    it "goes with a fiber that is transferred to" do
      main = Fiber.current
      fiber = Fiber.new { within("inside") { main.transfer(current) } }
      expect(within("main") { [fiber.transfer, current] }).to eq(%w[inside main])
    end

    it "is not mixed up by collected and abandoned fibers" do
      wrong = Array.new(2_000) do |number|
        name = "abandoned #{number % 7}"
        Fiber.new { within(name) { Fiber.yield } }.resume
        GC.start if (number % 500).zero?
        [current, Fiber.new { current }.resume].compact
      end
      expect(wrong.flatten).to be_empty
    end

    it "is right after an interrupt that comes while fibers are switched" do
      stop = false
      thread = Thread.new do
        seen = []
        fibers = 0
        within("outer") do
          until stop
            GC.start if ((fibers += 1) % 500).zero? # there is a limit on how many stacks a process has
            fiber = Fiber.new { loop { within("inner") { Fiber.yield } } }
            begin
              200.times { fiber.resume }
            rescue IOError
              nil
            ensure
              seen << current
            end
          end
        end
        seen << current
      rescue IOError
        retry
      end
      50.times do
        sleep 0.001
        thread.raise(IOError)
      end
      stop = true
      expect(thread.value.uniq - ["outer", nil]).to be_empty
    end
  end

  it "goes on in a forked child" do
    reader, writer = IO.pipe
    within("parent") do
      pid = fork do
        writer.write [current, within("child") { current }, Fiber.new { current }.resume].join(" ")
        exit!
      end
      writer.close
      Process.wait(pid)
    end
    expect(reader.read).to eq("parent child parent")
  end

  it "has no effect in another Ractor" do
    output = run_ruby(<<~RUBY)
      Warning[:experimental] = false
      ractor = Ractor.new { LeakHunter.context("inside") { [LeakHunter::Context.current, 1] } }
      value = LeakHunter.context("main") { ractor.respond_to?(:value) ? ractor.value : ractor.take }
      p value, LeakHunter::Context.current
    RUBY
    expect(output).to eq("[nil, 1]\nnil\n")
  end

  it "is right where Ruby threads go from one native thread to another" do
    output = run_ruby(<<~RUBY, env: { "RUBY_MN_THREADS" => "1" })
      wrong = Array.new(10) do |number|
        Thread.new do
          Array.new(50) do
            LeakHunter.context("thread " + number.to_s) do
              sleep 0.0005
              now = [LeakHunter::Context.current, Fiber.new { LeakHunter::Context.current }.resume]
              now.compact.uniq - ["thread " + number.to_s]
            end
          end
        end
      end
      p wrong.flat_map(&:value).flatten
    RUBY
    expect(output).to eq("[]\n")
  end

  it "survives collections at every step, and compaction" do
    output = run_ruby(<<~RUBY)
      GC.stress = true
      seen = LeakHunter.context("a".dup) { [Fiber.new { LeakHunter::Context.current }.resume, LeakHunter::Context.current] }
      GC.stress = false
      LeakHunter.context("b") do
        GC.compact if GC.respond_to?(:compact)
        seen << LeakHunter::Context.current
      end
      p seen
    RUBY
    expect(output).to eq(%(["a", "a", "b"]\n))
  end

  describe "names" do
    it "are Strings and Symbols of any kind; no method of theirs is called" do
      hostile = Class.new(String) do
        (instance_methods + Object.private_instance_methods - %i[__id__ __send__ object_id initialize]).each do |name|
          define_method(name) { |*| exit!(3) } unless name.match?(/\A(block_given\?|instance_exec)/)
        end
      end
      expect(within(hostile.allocate) { current }).to eq("")
      expect(within(:"a symbol with spaces") { current }).to eq("a symbol with spaces")
      expect(within("dynamic #{current.inspect}".to_sym) { current }).to eq("dynamic nil")
      expect(within("änderung".encode("UTF-16LE")) { current }).to be_valid_encoding
      expect(within("\xFF\0".b) { current }).to eq("\uFFFD\0")
    end

    it "that are neither are refused, and so is a call without a block" do
      expect { within(1) { nil } }
        .to raise_error(LeakHunter::UsageError, "context: expected a String or a Symbol, got 1")
      expect { within(BasicObject.new) { nil } }.to raise_error(LeakHunter::UsageError)
      expect { LeakHunter.context("a") }.to raise_error(LeakHunter::UsageError, "context: it takes a block")
    end

    it "are cut" do
      name = within("ü" * 1000) { current }
      expect(name).to match(/\Aü+…\z/)
      expect(name.bytesize).to be_between(190, 200)
    end

    it "past the bound are \"other\"" do
      output = run_ruby(<<~RUBY)
        require "tmpdir"
        seen = 5_000.times.map { |n| LeakHunter.context("GET /orders/" + n.to_s) { LeakHunter::Context.current } }
        p seen.tally["other"], seen.first, LeakHunter::Context.full?, seen.uniq.size
        p LeakHunter.context("GET /orders/17") { LeakHunter::Context.current }
        p LeakHunter.dump!(File.join(Dir.mktmpdir, "dump.json")).warnings.include?(LeakHunter::Context::FULL)
      RUBY
      expect(output).to eq(%(904\n"GET /orders/0"\ntrue\n4097\n"GET /orders/17"\ntrue\n))
    end
  end

  it "can be given another name until its block ends, and outside of one none" do
    described_class.rename("nothing")
    seen = [current]
    within("GET") do
      within("inner") { described_class.rename(:other) || (seen << current) }
      described_class.rename("GET /orders")
      seen << current
    end
    expect(seen.push(current)).to eq([nil, "other", "GET /orders", nil])
    expect { described_class.rename(nil) }.to raise_error(LeakHunter::UsageError)
  end

  it "does not change a frozen thread" do
    output = run_ruby(<<~RUBY)
      p Thread.new { Thread.current.freeze; LeakHunter.context("a") { [1, LeakHunter::Context.current] } }.value
    RUBY
    expect(output).to eq("[1, nil]\n")
  end

  it "leaves nothing behind in a thread" do
    keys = Thread.current.keys
    within("a") { nil }
    expect(Thread.current.keys).to match_array(keys)
  end

  it "makes no object, but for the first time" do
    output = run_ruby(<<~RUBY) # where no other thread makes some
      made = Array.new(3) do
        before = GC.stat(:total_allocated_objects)
        LeakHunter.context("a") { nil }
        GC.stat(:total_allocated_objects) - before
      end
      p made.last
    RUBY
    expect(output.to_i).to be <= 1
  end

  it "yields and has no effect without the extension", :tmpdir do
    code = 'p LeakHunter.context("a") { [1, LeakHunter::Context.current] }'
    output = run_ruby(code, lib: lib_without_extension(@tmpdir))
    expect(output).to eq("[1, nil]\n")
  end
end
