# frozen_string_literal: true

RSpec.describe LeakHunter::Report::Fix do
  step = SampleReport.method(:step)
  root = ->(category) { { address: nil, class: category, type: "ROOT", edge: { kind: "root", name: category } } }
  owner = step["Shop", "CLASS", "constant", "Shop"]
  hash = ->(kind, name) { step["Hash", "HASH", kind, name, growth: [1, 2, 3]] }
  array = ->(kind, name) { step["Array", "ARRAY", kind, name, growth: [1, 2, 3]] }
  thread = step["Thread", "DATA", "reference"]
  entry = step["Order", "OBJECT", "array_element"]
  block = step["Proc", "DATA", "array_element"]

  # The rule that applies, and a holder of that shape: its path, the holder's index in it, and more.
  {
    "finalizer" => [[root["finalizers"]], 0, { kind: "root", name: "finalizers" }],
    "at_exit" => [[root["end_proc"]], 0, { kind: "root", name: "at_exit blocks" }],
    "signal_handler" => [[root["trap_list"]], 0, { kind: "root", name: "signal handlers" }],
    "symbols" => [[root["global_symbols"]], 0, { kind: "symbols", name: nil }],
    "last_value" => [[root["vm"], thread, entry], 1, { kind: "last_value" }],
    "methods" => [[root["vm"], owner], 1, { kind: "methods" }],
    "method_cache" => [[root["vm"], owner], 1, { kind: "method_cache" }],
    "class_per_call" => [[root["vm"], owner, array["constant", "VIEWS"], entry], 2, { leaked: { type: "CLASS" } }],
    "thread_never_ended" => [[root["vm"], thread], 1, { kind: "threads" }],
    "thread_local" => [[root["vm"], thread, hash["fiber_local", "cache"], entry], 2, { kind: "thread_locals" }],
    "subscriber" => [[root["vm"], owner, array["instance_variable", "@subscribers"], block], 2,
                     { name: "Shop.@subscribers" }],
    "closure" => [[root["vm"], owner, array["instance_variable", "@jobs"], block], 2, {}],
    "memo" => [[root["vm"], owner, hash["instance_variable", "@prices"], entry], 2, {}],
    "unbounded" => [[root["vm"], owner, array["constant", "LOG"], entry], 2, {}]
  }.each do |name, (path, position, more)|
    it "knows the shape of: #{name}" do
      group = SampleReport.group(**more.fetch(:leaked, {}))
      holder = SampleReport.holder(name: "Shop.x", path:, position:, **more.except(:leaked))
      result = SampleReport.with_holders(holder, groups: [group])
      expect(described_class.rule(holder, result).name).to eq(name.to_sym)
      expect(described_class.rule(holder, result).text).to match(/\A[A-Z].*\.\z/)
    end
  end

  it "covers every rule" do
    expect(described_class::RULES.map(&:name)).to match_array(
      %i[finalizer at_exit signal_handler symbols class_per_call last_value methods method_cache
         thread_never_ended thread_local subscriber closure memo unbounded]
    )
  end

  it "says nothing of other shapes" do
    holder = SampleReport.holder(path: [root["vm"], owner, entry], position: 2, kind: "object")
    expect(described_class.rule(holder, SampleReport.with_holders(holder))).to be_nil
  end
end
