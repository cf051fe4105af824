# frozen_string_literal: true

RSpec.describe LeakHunter::Mark, :tmpdir do
  program = <<~'RUBY'
    class Visit
      def initialize = @path = "/path" * 12
    end
    VISITS = []
    old = Array.new(300) { Visit.new }
    first = LeakHunter.mark
    early = Array.new(100) { Visit.new }
    VISITS.concat(Array.new(200) { Visit.new })
    early.clear
    second = LeakHunter.mark
    VISITS.concat(Array.new(50) { Visit.new })
    third = ARGV[1] == "live" ? LeakHunter::Heap.live : LeakHunter.dump!(dir: ARGV[0])
    result = LeakHunter.diff(first, second, third, holders: true)
    visits = result[:groups].select { |group| group[:class] == "Visit" }
    strings = result[:groups].select { |group| group.values_at(:class, :count) == ["String", 200] }
    puts strings.map { |group| group.values_at(:count, :bytesize).join(" of ") }
    puts visits.sum { |group| group[:count] }, result[:evidence][:confidence], result[:holders].first[:name]
    puts result[:dumps].map { |dump| dump[:recorded][:snapshot] }.join(" ")
    old.clear
  RUBY

  it "is enough for the first two moments of a diff" do
    expect(run_ruby(program, @tmpdir).lines(chomp: true)).to eq(
      ["200 of 12000", "200", "high", "VISITS", "mark mark in_process"]
    )
  end

  it "and a live heap give the answer without any file" do
    expect(run_ruby(program, @tmpdir, "live").lines(chomp: true)).to eq(
      ["200 of 12000", "200", "high", "VISITS", "mark mark live"]
    )
    expect(Dir.children(@tmpdir)).to be_empty
  end

  it "says what cannot be done with it" do
    mark = described_class.take
    paths = RealDumps.paths
    dump = LeakHunter.dump!(dir: @tmpdir)
    later = described_class.take
    expect { LeakHunter.diff(mark, dump, later) }.to raise_error(LeakHunter::UsageError, /cannot be the last/)
    expect { LeakHunter.diff(mark, dump, LeakHunter.dump!(dir: @tmpdir), identity: :address) }
      .to raise_error(LeakHunter::UsageError, /no addresses/)
    expect { LeakHunter.diff(mark, *paths.last(2)) }.to raise_error(LeakHunter::DifferentProcesses)
  end
end
