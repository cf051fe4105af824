# frozen_string_literal: true

RSpec.describe LeakHunter::Report::Ledger do
  def sentence(conclusion, new_objects: 0, verdict: "no_leak", **growth)
    growth = { process: 180_000_000, objects: 2_000_000, tracing: 0, own: 0, **growth }
    described_class.new({ verdict: { name: verdict },
                          ledger: { conclusion:, new_objects:, growth:, moments: [] } }).to_s
  end

  it "says whether the objects explain what the process grew by" do
    expect(sentence("not_ruby_objects"))
      .to eq("The process grew by 180 MB, Ruby objects by 2.0 MB: this is not a leak of Ruby objects. " \
             "See docs/native.md.")
    expect(sentence("objects_explain", objects: 150_000_000))
      .to eq("The process grew by 180 MB, Ruby objects by 150 MB.")
    expect(sentence("objects_explain", objects: nil, new_objects: 90_000_000))
      .to eq("The process grew by 180 MB. Objects that were allocated in the meantime and stayed are 90.0 MB of it.")
    expect(sentence("free_slots_explain", free_slots: 120_000_000))
      .to eq("The process grew by 180 MB, of which 120 MB are pages of Ruby's heap whose objects are gone: " \
             "this is not a leak of Ruby objects. See docs/native.md.")
    expect(sentence("leak_hunter_explains", tracing: 100_000_000)).to include("180 MB").and include("LeakHunter's own")
    expect(sentence("partly", tracing: 60_000_000, unexplained: 118_000_000))
      .to eq("The process grew by 180 MB, Ruby objects by 2.0 MB, LeakHunter's tracing and heaps by 60.0 MB; " \
             "118 MB are neither. See docs/native.md.")
    expect(sentence("partly", unexplained: -5)).to eq("The process grew by 180 MB, Ruby objects by 2.0 MB.")
  end

  it "says when the process did not grow, and when objects became fewer" do
    expect(sentence("flat", process: -1)).to eq("The process did not grow.")
    expect(sentence("flat", process: 1_200_000)).to eq("The process grew by 1.2 MB, no more than dumps take.")
    expect(sentence("not_ruby_objects", objects: 0)).to include("180 MB, Ruby objects not at all: this is not")
    expect(sentence("not_ruby_objects", objects: -1_000_000)).to include("while Ruby objects became 1.0 MB less")
  end

  it "does not deny a leak of Ruby objects that was found, of however little" do
    expect(sentence("not_ruby_objects", verdict: "leak"))
      .to eq("The process grew by 180 MB, Ruby objects by 2.0 MB: most of it is no leak of Ruby objects. " \
             "See docs/native.md.")
    expect(sentence("free_slots_explain", verdict: "leak", free_slots: 120_000_000))
      .to end_with("whose objects are gone: most of it is no leak of Ruby objects. See docs/native.md.")
  end

  it "says nothing where nothing is known" do
    expect(sentence("unknown")).to be_nil
    expect(described_class.new({}).to_s).to be_nil
    expect(described_class.new(LeakHunter.diff(*RealDumps.paths)).to_s).to be_a(String).or be_nil
  end
end
