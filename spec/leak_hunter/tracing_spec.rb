# frozen_string_literal: true

RSpec.describe LeakHunter::Tracing do
  def traced?(object) = !described_class.allocation(object).nil?

  def by_default(mode) = stub_const("LeakHunter::Tracing::Mode::DEFAULT", mode)

  %i[exact objspace].each do |mode|
    context "in the mode #{mode}" do
      before { by_default(mode) }

      it "traces between start and stop, and says since when" do
        expect(described_class).not_to be_on
        expect(described_class.since).to be_nil

        before = Time.now
        described_class.start
        expect(described_class).to be_on
        expect(traced?(Object.new)).to be(true)
        expect(described_class.since[:generation]).to be_between(0, GC.count)
        expect(described_class.since[:time]).to be_between(before, Time.now)

        described_class.stop
        expect(described_class).not_to be_on
        expect(described_class.since).to be_nil
        expect(traced?(Object.new)).to be(false)
      end

      it "is what trace!, untrace!, tracing? and clear do" do
        expect { LeakHunter.trace! }.to change(LeakHunter, :tracing?).from(false).to(true)
        object = Object.new
        expect { LeakHunter.clear }.to change { traced?(object) }.from(true).to(false)
        expect { LeakHunter.untrace! }.to change(LeakHunter, :tracing?).from(true).to(false)
      end

      it "answers to plain names, too" do
        expect { LeakHunter.start_tracing }.to change(LeakHunter, :tracing?).from(false).to(true)
        object = Object.new
        expect { LeakHunter.clear_tracing }.to change { traced?(object) }.from(true).to(false)
        expect { LeakHunter.stop_tracing }.to change(LeakHunter, :tracing?).from(true).to(false)
      end

      describe "a block" do
        it "is traced, and what it returns is returned" do
          expect(LeakHunter.trace! { [LeakHunter.tracing?, traced?(Object.new)] }).to eq([true, true])
          expect(LeakHunter).not_to be_tracing
        end

        it "ends tracing however it ends" do
          expect { LeakHunter.trace! { raise IOError } }.to raise_error(IOError)
          expect(LeakHunter).not_to be_tracing
          catch(:done) { LeakHunter.start_tracing { throw :done } }
          expect(LeakHunter).not_to be_tracing
        end

        it "leaves on what was on" do
          since = LeakHunter.trace!
          LeakHunter.trace! { nil }
          expect(described_class.since).to eq(since)
        end

        it "leaves on what is started in it, and off what is stopped in it" do
          LeakHunter.trace! { LeakHunter.trace! }
          expect(LeakHunter).to be_tracing
          LeakHunter.trace! { LeakHunter.untrace! }
          expect(LeakHunter).not_to be_tracing
        end

        it "leaves the tracing of another tool" do
          ObjectSpace.trace_object_allocations do
            object = Object.new
            LeakHunter.trace! { nil }
            expect(LeakHunter).to be_tracing
            expect(traced?(object)).to be(true)
          end
          expect(LeakHunter).not_to be_tracing
        ensure
          ObjectSpace.trace_object_allocations_clear
        end

        it "ends what a mark in it needs" do
          LeakHunter.trace! { LeakHunter.mark }
          expect(LeakHunter).not_to be_tracing
          LeakHunter.mark
          expect(LeakHunter).to be_tracing
        end

        it "can be nested, and run in several threads: the last to end stops tracing" do
          running = Queue.new
          done = Queue.new
          thread = Thread.new do
            LeakHunter.trace! do
              running << true
              done.pop
            end
          end
          running.pop
          LeakHunter.trace! { LeakHunter.trace! { nil } }
          expect(LeakHunter).to be_tracing
          done << true
          thread.join
          expect(LeakHunter).not_to be_tracing
        end

        it "of a thread that a forked child lacks does not keep the child tracing" do
          running = Queue.new
          thread = Thread.new do
            LeakHunter.trace! do
              running << true
              sleep
            end
          end
          running.pop
          child = fork { LeakHunter.trace! { nil }.then { exit!(LeakHunter.tracing? ? 1 : 0) } }
          expect(Process.wait2(child).last.exitstatus).to eq(0)
        ensure
          thread&.kill&.join
        end

        it "that is interrupted anywhere leaves tracing off" do
          LeakHunter.trace! { nil } # loads it: what is raised in Ruby's own `require` is not on trial
          200.times do
            thread = Thread.new { loop { LeakHunter.trace! { Object.new } } }
            thread.report_on_exception = false
            sleep rand * 0.002
            thread.raise(IOError)
            begin
              thread.join
            rescue IOError
              nil
            end
            expect(described_class).not_to be_on
          end
        end
      end

      it "starts once, however often it is asked to" do
        since = described_class.start
        GC.start
        expect(described_class.start).to eq(since)
        described_class.stop
        expect(described_class).not_to be_on
      end

      it "forgets on stop: an object in a dead one's slot must not show where that one was made" do
        leftovers = lambda do |tracer, start, stop|
          # what dies while it is traced is forgotten by every tracer
          GC.disable
          tracer.send(start)
          # every second one dies: pages of nothing but free slots would go back to the system
          neighbours = Array.new(20_000) { [Object.new, Object.new].last }
          tracer.send(stop)
          GC.enable
          GC.start
          # more than there are free slots, whatever other examples have left
          reused = Array.new(GC.stat(:heap_free_slots) + 100_000) { Object.new }
          reused.count { |object| traced?(object) }.tap { neighbours.clear }
        end

        expect(leftovers.call(described_class, :start, :stop)).to eq(0)
        next unless RUBY_VERSION.to_f <= 4.0

        # What would have been left.
        expect(leftovers.call(ObjectSpace, :trace_object_allocations_start,
                              :trace_object_allocations_stop)).to be_positive
      ensure
        GC.enable
        ObjectSpace.trace_object_allocations_clear
      end

      it "is not deceived by what a stopped tracer has left" do
        ObjectSpace.trace_object_allocations_start
        Array.new(50_000) { Object.new }
        ObjectSpace.trace_object_allocations_stop
        GC.start
        expect(Array.new(1000) { described_class.on? }).to all(be(false))
      ensure
        ObjectSpace.trace_object_allocations_clear
      end

      it "clears a stopped tracer's leftovers when it starts" do
        object = nil
        ObjectSpace.trace_object_allocations { object = Object.new }
        expect { described_class.start }.to change { traced?(object) }.from(true).to(false)
      end

      it "goes on after clear, since then" do
        first = described_class.start
        object = Object.new
        GC.start
        before = GC.count
        described_class.clear
        since = described_class.since
        expect(since[:generation]).to be_between(before, GC.count).and be > first[:generation]
        expect(described_class).to be_on
        expect(traced?(object)).to be(false)
      end

      context "with another tool at it" do
        after { ObjectSpace.trace_object_allocations_clear }

        it "leaves tracing that another started, and its records" do
          ObjectSpace.trace_object_allocations do
            object = Object.new
            expect(described_class).to be_on
            expect(described_class.since).to be_nil
            described_class.stop
            expect(described_class).to be_on
            expect(traced?(object)).to be(true)

            described_class.start
            described_class.stop
            expect(described_class).to be_on
            expect(traced?(object)).to be(true)
          end
        end

        it "goes on when another stops what it started itself" do
          ObjectSpace.trace_object_allocations do
            expect(described_class.start).to eq(described_class.since)
          end
          expect(described_class).to be_on
          expect(described_class.since).not_to be_nil
        end
      end

      it "goes on in a forked child, and stops there alone" do
        since = described_class.start
        output = IO.popen("-") do |pipe|
          next pipe.read if pipe

          print described_class.since == since, traced?(Object.new)
          described_class.stop
          print described_class.on?
          $stdout.flush
          exit!
        end
        expect(output).to eq("truetruefalse")
        expect(described_class.since).to eq(since)
      end

      it "takes starts and stops from many threads" do
        threads = Array.new(8) do
          Thread.new do
            100.times do
              described_class.start
              described_class.since
              described_class.stop
            end
          end
        end
        threads.each(&:join)
        expect(described_class).not_to be_on
      end
    end
  end

  context "when another tool stops or clears the VM's tracer" do
    after { ObjectSpace.trace_object_allocations_clear }

    it "goes on in the mode exact" do
      by_default(:exact)
      first = described_class.start
      object = Object.new
      ObjectSpace.trace_object_allocations_stop
      ObjectSpace.trace_object_allocations_clear
      expect(described_class).to be_on
      expect(described_class.since).to eq(first)
      expect(traced?(object)).to be(true)
      expect(described_class.start).to eq(first)
    end

    context "with the mode objspace" do
      before { by_default(:objspace) }

      { "another stopped it, and starts anew" => [:trace_object_allocations_stop, false],
        "another cleared it, and that what is older is lost" => [:trace_object_allocations_clear, true] }
        .each do |what, (call, goes_on)|
        it "notices that #{what}" do
          first = described_class.start
          ObjectSpace.public_send(call)
          expect(described_class.on?).to be(goes_on)
          expect(described_class.since).to be_nil

          GC.start
          expect(described_class.start[:generation]).to be > first[:generation]
          described_class.stop
          expect(described_class).not_to be_on
        end
      end
    end
  end
end
