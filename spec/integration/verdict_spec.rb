# frozen_string_literal: true

require "json"
require "open3"
require "rbconfig"

# Programs whose collections grow, are filled once, turn over or drain, between three and more moments.
RSpec.describe "verdicts on holders", :tmpdir do
  def diff(moments, kind = "dumps", program: "run")
    run = run_ruby(File.read("spec/fixtures/verdicts/#{program}.rb"), moments.to_s, @tmpdir, kind,
                   options: [RubyProcess::ALL_NAMES])
    JSON.parse(run, symbolize_names: true)
  end

  def verdicts(result)
    result[:holders].filter_map { |it| [it[:name], it[:verdict][:name]] if it[:name]&.match?(/\A[A-Z]/) }.to_h
  end

  leaks = %w[INNER LEAK QUEUE Registry.@latest]

  [3, 4, 5].each do |moments|
    it "are right with #{moments} dumps" do
      found = verdicts(diff(moments))
      expect(found.select { |_, verdict| verdict == "growing" }.keys).to include(*leaks)
      expect(found).to include("WARM" => "once", "LRU" => "replaced", "BACKLOG" => "draining")
      expect(found["SAWTOOTH"]).to be_nil.or eq("replaced").or eq("draining")
      expect(found.values.first(leaks.size)).to all(eq("growing"))
    end
  end

  it "are those of live heaps, too" do
    found = verdicts(diff(3, "heaps"))
    expect(found.values_at(*leaks)).to all(eq("growing"))
    expect(found).to include("WARM" => "once", "LRU" => "replaced")
  end

  it "are those of marks, which count" do
    found = verdicts(diff(4, "marks"))
    expect(found.values_at(*leaks)).to all(eq("growing"))
    expect(found).to include("WARM" => "once", "LRU" => "replaced", "BACKLOG" => "draining")
  end

  it "come with births by window, and with lengths at every level of the path" do
    holders = diff(4)[:holders].to_h { |it| [it[:name], it] }
    leak, inner, few = holders.values_at("LEAK", "INNER", "FEW")
    expect(leak[:births].map { |it| it[:count] }).to eq([0, 240, 240, 240])
    expect(leak[:births].map { |it| it[:memsize] }).to all(be_an(Integer))
    expect(leak[:growth]).to eq([0, 60, 120, 180])
    expect(inner[:verdict]).to include(name: "growing", reason: "every_window", level: 1)
    expect(inner[:growth]).to eq([10, 10, 10, 10])
    expect(inner[:levels][1]).to include(growth: [0, 60, 120, 180], entries: [0, 60, 60, 60])
    expect(inner[:path].filter_map { |it| it[:growth] }).to include([10, 10, 10, 10], [0, 6, 12, 18])
    # fewer than eight entries
    expect(few[:growth]).to eq([0, 2, 4, 6])
  end

  it "and rates by window and by minute, and a verdict of the whole" do
    result = diff(3)
    expect(result[:verdict]).to include(name: "leak", nothing_stayed: false)
    expect(result[:verdict][:growing][:holders]).to be >= leaks.size
    expect(result[:seconds]).to all(be > 0)
    leak = result[:holders].find { |it| it[:name] == "LEAK" }
    result[:seconds].zip(leak[:rates]) do |seconds, rate|
      expect(rate).to include(seconds:, count: 240, count_per_minute: be_within(0.1).of(240 * 60 / seconds))
    end
  end

  it "do not take the last jobs of workers that wait for something that grows" do
    result = diff(4, program: "workers")
    stacks = result[:holders].select { |it| it[:alike] == 2 && it[:count] > 200 }
    expect(stacks.map { |it| it[:births].drop(1).map { |births| births[:count] } }).to contain_exactly(all(be >= 100))
    expect(result[:holders].map { |it| it[:verdict][:name] }).not_to include("growing")
  end

  # Of these, nothing that holds is there at every moment.
  {
    "threads_that_never_end" => ["programs", /\Athreads started at/],
    "named_threads_that_never_end" => ["programs", /\Athreads started at .*mailer-/],
    "replaced_array" => ["holders", /ReplacedArray.*@entries/],
    "composed_procs" => ["holders", /ComposedProcs.*@pipeline/]
  }.each do |program, (catalogue, name)|
    it "are right on #{program}" do
      script = File.expand_path("../fixtures/#{catalogue}/judge.rb", __dir__)
      %w[every first].each do |mode|
        output, status = Open3.capture2(RbConfig.ruby, "-w", script, program, @tmpdir, mode)
        expect(status).to be_success
        growing = JSON.parse(output, symbolize_names: true)[:holders].select { |it| it[:verdict][:name] == "growing" }
        expect(growing.map { |it| it[:name] }).to(mode == "every" ? contain_exactly(name) : be_empty)
      end
    end
  end

  %w[dumps heaps marks].each do |kind|
    it "tell from #{kind} what grows in place" do
      result = diff(4, kind, program: "in_place")
      grown = result[:grown_in_place].to_h { |it| [it[:name], it] }
      expect(grown.keys).to include("OUT", "T", "COUNTS", "SEEN", "NUMBERS")
      expect(grown.keys.grep(/LOG/)).not_to be_empty
      expect(grown.values.map { |it| it[:verdict][:name] }).to all(eq("growing"))
      expect(grown["OUT"]).to include(unit: "bytes", growth: [20_000, 40_000, 60_000, 80_000], type: "STRING")
      expect(grown["T"]).to include(unit: "entries", growth: [0, 200, 400, 600], class: "Array")
      expect(grown.keys & %w[RING ONCE BUFFER]).to be_empty
      expect(result[:verdict][:name]).to eq("leak")
    end
  end
end
