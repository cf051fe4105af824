# frozen_string_literal: true

require "leak_hunter/web"
require "timeout"

RSpec.describe LeakHunter::Web::SingleFlight do
  subject(:flight) { described_class.new("Busy", "somebody else") }

  it "refuses all but one, and is free when that one ends, raises or throws" do
    flight.run do
      expect(flight.running?).to be(true)
      expect { flight.run { 1 } }.to raise_error(LeakHunter::Web::Problem) { |it| expect(it.reply.status).to eq(409) }
    end
    expect { flight.run { raise "no" } }.to raise_error("no")
    catch(:out) { flight.run { throw :out } }
    expect(flight.running?).to be(false)
    expect(flight.run { 7 }).to eq(7)
  end

  it "is free whatever interrupts it, whenever" do
    ready = Queue.new
    worker = Thread.new do
      # the interrupts arrive in here, and nowhere else
      Thread.handle_interrupt(Timeout::Error => :never) do
        loop do
          ready << true
          Thread.handle_interrupt(Timeout::Error => :immediate) { flight.run { Thread.pass } }
        rescue Timeout::Error
          next
        end
      end
    end
    ready.pop
    500.times do
      worker.raise(Timeout::Error)
      Thread.pass
    end
    worker.kill.join
    expect(flight.running?).to be(false)
    expect(flight.run { 1 }).to eq(1)
  end
end
