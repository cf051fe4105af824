# frozen_string_literal: true

RSpec.describe LeakHunter::Holders, :tmpdir do
  let(:paths) { RealDumps.paths }

  it "are found where they are asked for, and only there" do
    expect(LeakHunter.diff(*paths)[:holders]).to be_nil
    holders = LeakHunter.diff(*paths, holders: true)[:holders]
    expect(holders.first).to include(
      name: "SESSIONS", named_by: "dump", class: "Array", kind: "collection", alike: 1, growth: [0, 500, 1000]
    )
    expect(holders.first[:fingerprint]).to match(/\A\h{16}\z/)
  end

  it "account for every leaked object once, but for the VM's caches, whatever the groups" do
    all = LeakHunter.diff(*paths, holders: true)
    expect(all[:holders].sum { |holder| holder[:count] } + all[:totals][:cache_count]).to eq(all[:totals][:count])
    groups = all[:holders].first[:groups].to_h { |group| [all[:groups][group[:index]][:class], group[:count]] }
    expect(groups).to include("Session" => RealDumps::LEAKED, "String" => RealDumps::LEAKED)
    some = LeakHunter.diff(*paths, holders: true, group_by: :class, only: "Session", top: 1, samples: 2)
    expect(some[:holders].map { |holder| holder[:count] }).to eq([RealDumps::LEAKED])
    expect(some[:groups].map { |group| group[:addresses].size }).to eq([2])
  end

  it "are told with the way from the roots, to the holder and on to what leaked" do
    holder = LeakHunter.diff(*paths, holders: true)[:holders].first
    path, position = holder.values_at(:path, :position)
    expect(path.first).to include(type: "ROOT", address: nil)
    expect(path[position]).to include(address: holder[:address], class: "Array")
    expect(path[position][:edge]).to include(kind: "constant", name: "SESSIONS", named_by: "dump")
    expect(path[position + 1]).to include(class: "Session", type: "OBJECT")
  end

  it "are told with the ways to objects of other groups, which lead through the holder as well" do
    result = LeakHunter.diff(*paths, holders: true)
    holder = result[:holders].first
    expect(holder[:other_paths].size).to be_between(1, 2)
    expect(holder[:other_paths]).to all(include(include(address: holder[:address])))
    ends = [holder[:path], *holder[:other_paths]].map { |path| path.last.values_at(:class, :type) }
    expect(ends).to include(%w[Session OBJECT], %w[String STRING])
    expect(ends.uniq).to eq(ends)
  end

  it "have fingerprints that do not change from run to run" do
    other = LeakHunter.diff(*RealDumps.take(@tmpdir), holders: true)[:holders]
    expect(other.map { |holder| holder[:fingerprint] })
      .to include(LeakHunter.diff(*paths, holders: true)[:holders].first[:fingerprint])
  end

  it "are not asked of addresses alone" do
    expect { LeakHunter.diff(*paths, holders: true, identity: :address) }
      .to raise_error(LeakHunter::UsageError, /holders: not with identity: :address/)
  end

  it "stop, with the diff, for who does not want to wait" do
    expect { LeakHunter.diff(*paths, holders: true, progress: ->(_, _) { raise "enough" }) }.to raise_error("enough")
  end

  describe "in the process that took the dumps" do
    program = <<~'RUBY'
      class Cache
        def initialize = @pages = {}
        def put(key) = @pages[key] = Object.new
      end
      CACHE = Cache.new
      leak = ->(from) { 300.times { |number| CACHE.put("secret #{from + number}") } }
      dumps = Array.new(3) { |index| LeakHunter.dump!(dir: ARGV[0]).tap { leak.call(index * 300) } }
      redact = ARGV[1] ? false : nil
      puts LeakHunter.diff(*dumps, holders: true, redact:)[:holders].first.values_at(:name, :named_by), :-
      holder = LeakHunter.diff(*dumps, holders: true, redact:)[:holders].first
      puts holder[:path].last[:edge][:name]
      puts [holder[:path], *holder[:other_paths]].to_s.include?("secret")
    RUBY

    it "get the names of instance variables, and of keys with redact: false" do
      expect(run_ruby(program, @tmpdir, "all").lines(chomp: true))
        .to match(["CACHE.@pages", /live|shape/, "-", /\A\["secret \d+"\]\z/, "true"])
    end

    it "keep contents to themselves, unless they are told to" do
      expect(run_ruby(program, @tmpdir).lines(chomp: true).last(2)).to eq(["[#<String>]", "false"])
    end

    it "keep nothing alive that was looked at" do
      output = run_ruby(<<~'RUBY', @tmpdir)
        class Kept; end
        def clear_stack(depth = 100) = depth.positive? && [depth].each { clear_stack(depth - 1) }
        def hunt
          list = []
          Thread.current[:list] = list
          dumps = Array.new(3) { LeakHunter.dump!(dir: ARGV[0]).tap { 100.times { list << Kept.new } } }
          LeakHunter.diff(*dumps, holders: true)[:holders].first[:name]
        end
        puts Thread.new { hunt.tap { Thread.current[:list] = nil } }.value
        clear_stack
        4.times { GC.start }
        puts ObjectSpace.each_object(Kept).count
      RUBY
      name, left = output.lines(chomp: true)
      expect(name).to start_with("thread-local ").and end_with("[:list]")
      expect(left.to_i).to be <= 3
    end
  end
end
