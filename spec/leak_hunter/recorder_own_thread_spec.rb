# frozen_string_literal: true

RSpec.describe "LeakHunter::Recorder::OwnThread" do
  let(:own_thread) { LeakHunter::Recorder::OwnThread }

  it "returns what the block returns, from another thread" do
    expect(own_thread.run { Thread.current }).not_to eq(Thread.current)
    expect(own_thread.run { 5 }).to eq(5)
    expect(own_thread.run { nil }).to be_nil
  end

  it "raises what the block raises, with the place of the call" do
    expect { own_thread.run { raise IOError, "why" } }.to raise_error(IOError, "why") { |error|
      expect(error.backtrace.count { |line| line.start_with?("#{__FILE__}:") }).to be > 1
    }
  end

  it "runs errands on the thread that waits" do
    caller, result = own_thread.run { |own| [own.in_caller { Thread.current }, own.in_caller { 5 }] }
    expect([caller, result]).to eq([Thread.current, 5])
    expect { own_thread.run { |own| own.in_caller { raise IOError } } }.to raise_error(IOError)
    expect(own_thread.run { |own| own.in_caller { raise IOError } rescue 7 }).to eq(7) # rubocop:disable Style/RescueModifier
  end

  it "is interrupted at its next interruptible step, and cleans up before the caller goes on" do
    steps = []
    thread = Thread.new do
      own_thread.run do
        steps << :began
        sleep 0.05
        steps << :whole
        own_thread.interruptible { sleep }
      ensure
        sleep 0.05
        steps << :cleaned
      end
    end
    thread.report_on_exception = false
    sleep 0.001 until steps.any?
    thread.raise(IOError)
    expect { thread.join }.to raise_error(IOError)
    expect(steps).to eq(%i[began whole cleaned])
  end

  it "is interrupted after an errand, which is run whole" do
    steps = []
    interrupted = lambda do
      own_thread.run do |own|
        own.in_caller do
          Thread.current.raise(IOError)
          steps << :errand
        end
        sleep 0.001 until Thread.current.pending_interrupt?
        own_thread.interruptible { nil }
        steps << :too_late
      end
    end
    expect(&interrupted).to raise_error(IOError)
    expect(steps).to eq(%i[errand])
  end

  it "leaves the caller's own mask of interrupts as it is" do
    masked = false
    begun = Queue.new
    thread = Thread.new do
      Thread.handle_interrupt(IOError => :never) do
        own_thread.run do
          begun << true
          own_thread.interruptible { sleep 0.05 }
        end
        masked = true
      end
    end
    thread.report_on_exception = false
    begun.pop
    thread.raise(IOError)
    expect { thread.join }.to raise_error(IOError)
    expect(masked).to be(true)
  end

  it "outlives a signal handler that raises" do
    expect(run_ruby(<<~'RUBY')).to eq("Interrupt\ncleaned\n1\n")
      require "leak_hunter/recorder"
      own_thread = LeakHunter::Recorder::OwnThread
      cleaned = nil
      begin
        own_thread.run do
          Process.kill(:INT, Process.pid)
          own_thread.interruptible { sleep }
        ensure
          cleaned = "cleaned"
        end
      rescue Interrupt
        puts $!.class, cleaned, Thread.list.size
      end
    RUBY
  end
end
