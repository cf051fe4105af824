# frozen_string_literal: true

require "pathname"

RSpec.describe LeakHunter::Dump do
  let(:attributes) do
    { path: "/dumps/1.json", bytes: 1_500_000, objects: 4711, generation: 17, pid: 99, seconds: 0.25,
      tracing_since: Time.at(0), tracing_generation: 3, snapshot: "fork", sequence: 2, id: "ab" * 16,
      taken_at: Time.at(5), warnings: ["beware"].freeze }
  end
  let(:dump) { described_class.new(**attributes) }

  it "has what it was made of, and stays as it is" do
    expect(dump).to have_attributes(attributes)
    expect(dump.to_h).to eq(attributes)
    expect(dump).to be_frozen
  end

  it "needs every attribute" do
    expect { described_class.new(path: "x") }.to raise_error(KeyError)
  end

  it "is a path wherever one is wanted" do
    expect(String(dump)).to eq("/dumps/1.json")
    expect("#{dump}.gz").to eq("/dumps/1.json.gz")
    expect(File.basename(dump)).to eq("1.json")
    expect(Pathname(dump.to_path)).to eq(Pathname("/dumps/1.json"))
  end

  it "equals one with the same attributes, also as a key" do
    twin = described_class.new(**attributes)
    expect(dump).to eq(twin)
    expect({ dump => 1 }).to have_key(twin)
    expect(dump).not_to eq(described_class.new(**attributes, sequence: 3))
    expect(dump).not_to eq("/dumps/1.json")
  end

  it "is readable in one line" do
    expect(dump.inspect).to eq("#<LeakHunter::Dump /dumps/1.json: 1.5 MB, 4711 objects, generation 17, " \
                               "paused for 0.25 s; beware>")
  end
end
