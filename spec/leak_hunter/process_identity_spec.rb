# frozen_string_literal: true

require "leak_hunter/process_identity"

RSpec.describe LeakHunter::ProcessIdentity do
  def in_child
    IO.popen("-") do |pipe|
      next pipe.read if pipe

      print yield
      $stdout.flush
      exit!
    end
  end

  before { described_class.next_sequence }

  it "keeps boot in a forked child, where counting starts again" do
    expect(described_class.boot).to match(/\A\h{16}\z/)
    expect(in_child { [described_class.boot, described_class.next_sequence].join(" ") })
      .to eq("#{described_class.boot} 1")
  end

  it "counts without gaps or repeats, from whatever thread" do
    numbers = Array.new(4) { Thread.new { Array.new(100) { described_class.next_sequence } } }.flat_map(&:value)
    expect(numbers.sort).to eq((numbers.min..numbers.min + 399).to_a)
  end

  it "names the host in valid UTF-8" do
    expect(described_class.host).to eq(`uname -n`.chomp).and be_valid_encoding
  end
end
