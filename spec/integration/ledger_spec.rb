# frozen_string_literal: true

# Real processes that grow by 120 MB in different ways, or not at all.
RSpec.describe "The ledger of a diff", :tmpdir do
  program = <<~'RUBY'
    KEPT = []
    grow = {
      "objects" => -> { KEPT << Array.new(100_000) { |number| "#{number} ".ljust(560, "x") } },
      "in place" => -> { (KEPT[0] ||= +"") << ("x" * 60_000_000) },
      "native" => lambda do
        memset = Fiddle::Handle::DEFAULT["memset"]
        types = [Fiddle::TYPE_VOIDP, Fiddle::TYPE_INT, Fiddle::TYPE_SIZE_T]
        Fiddle::Function.new(memset, types, Fiddle::TYPE_VOIDP).call(Fiddle.malloc(60_000_000), 1, 60_000_000)
      end,
      "flat" => -> { 20_000.times { |number| number.to_s } }
    }.fetch(ARGV[1])
    require "fiddle" if ARGV[1] == "native"
    take = {
      "dump" => -> { LeakHunter.dump!(dir: ARGV[0]) }, "live" => -> { LeakHunter::Heap.live },
      "mark" => -> { LeakHunter.mark }
    }.fetch(ARGV[2])
    moments = Array.new(2) { take.call.tap { grow.call } }
    result = LeakHunter.diff(*moments, ARGV[2] == "mark" ? LeakHunter::Heap.live : take.call)
    puts Marshal.dump(result.slice(:ledger, :dumps)).unpack1("H*"), LeakHunter::Report::Ledger.new(result).to_s.to_s
    KEPT.clear
  RUBY

  def without_fiddle? = !run_ruby("begin; require 'fiddle'; rescue LoadError; puts 'none'; end").empty?

  def compared(program, kind, moment)
    skip "there is no fiddle here" if kind == "native" && without_fiddle?
    lines = run_ruby(program, @tmpdir, kind, moment).lines(chomp: true)
    [Marshal.load([lines[0]].pack("H*")), lines[1]] # rubocop:disable Security/MarshalLoad
  end

  cases = {
    "dump" => { "objects" => "objects_explain", "in place" => "objects_explain", "native" => "not_ruby_objects",
                "flat" => "flat" },
    "live" => { "objects" => "objects_explain", "native" => "not_ruby_objects", "flat" => "flat" },
    "mark" => { "objects" => "objects_explain", "in place" => "objects_explain", "native" => "not_ruby_objects",
                "flat" => "flat" }
  }
  cases = cases.flat_map { |moment, kinds| kinds.map { |kind, conclusion| [kind, moment, conclusion] } }
  cases.each do |kind, moment, conclusion|
    it "is #{conclusion} of a process that grows #{kind == "flat" ? "not at all" : "by #{kind}"}, from #{moment}s" do
      result, text = compared(program, kind, moment)
      found = result[:ledger]
      growth = found[:growth]
      expect([found[:conclusion], growth]).to match([conclusion, be_a(Hash)])
      expect(found[:moments].map { |entry| entry[:memory] }).to eq(result[:dumps].map { |it| it[:recorded][:memory] })
      expect(text.empty?).to be(conclusion == "unknown")
      next if kind == "flat"

      expect(growth[:process]).to be > 100_000_000
      expect(growth[:objects]).to kind == "native" ? be < 20_000_000 : be_between(100_000_000, 250_000_000)
      parts = growth.values_at(:objects, :tracing, :own, :free_slots, :unexplained)
      expect(parts.sum).to eq(growth[:process])
    end
  end

  # Ruby's tracer, of which the VM tells half, and LeakHunter's own, which is there even when it is off.
  { exact: 8..20, objspace: 100..250 }.each do |mode, bytes_each|
    it "knows the share of tracing in the mode #{mode}" do
      output = run_ruby(<<~'RUBY', @tmpdir, mode.to_s)
        LeakHunter.trace!(mode: ARGV[1].to_sym)
        kept = Array.new(200_000) { Object.new }
        dump = LeakHunter.dump!(dir: ARGV[0])
        heap = LeakHunter::Heap.load(dump)
        result = LeakHunter.diff(*Array.new(2) { LeakHunter.dump!(dir: ARGV[0]) }, LeakHunter.dump!(dir: ARGV[0]))
        puts result[:ledger][:moments].last[:tracing] / 200_000
        puts result[:dumps].last[:tracing_memsize] > 200_000 * (ARGV[1] == "exact" ? 8 : 40)
        named = heap.classes.find { |row| row[:class] == "allocation tracing (LeakHunter)" }
        puts named[:count], heap.instances_of(named[:class]).first.label
        puts heap.top(limit: 10).map { |row| row[:object].label }.include?("allocation tracing (LeakHunter)")
        puts heap.top(by: :class, limit: 10).any? { |row| row[:class] == named[:class] }
        puts heap.top(by: :gem, limit: 3).any? { |row| row[:gem] == named[:class] }
        heap.export(:folded, "#{ARGV[0]}/folded", view: :sites)
        puts File.read("#{ARGV[0]}/folded").include?("allocation tracing (LeakHunter)")
        puts kept.size
      RUBY
      bytes, *rest = output.split("\n")
      expect(bytes_each).to cover(bytes.to_i)
      expect(rest).to eq(["true", "2", "allocation tracing (LeakHunter)", "true", "true", "true", "true", "200000"])
    end
  end
end
