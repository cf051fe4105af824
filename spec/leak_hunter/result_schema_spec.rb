# frozen_string_literal: true

require "json-schema"

# Every result is what the shipped JSON Schema says: no key more, and none less.
RSpec.describe "The schema of results" do
  def complaints(result)
    JSON::Validator.fully_validate(schema, JSON.parse(JSON.generate(result)))
  end

  let(:schema) { JSON.parse(File.read(LeakHunter::Diff::RESULT_SCHEMA)) }
  let(:dumps) { RealDumps.paths }

  it "is a schema itself, and refuses what is none of it" do
    meta = JSON::Validator.validator_for_name("draft4").metaschema
    expect(JSON::Validator.fully_validate(meta, schema)).to be_empty
    result = LeakHunter.diff(*dumps, holders: true)
    expect(complaints(result.merge(colour: "red")).size).to eq(1)
    expect(complaints(result.except(:totals)).size).to be >= 1
    result[:holders].first[:verdict][:name] = "perhaps"
    expect(complaints(result).size).to be >= 1
  end

  {
    "with holders" => { holders: true },
    "without holders" => {},
    "by address" => { identity: :address },
    "grouped by generation and gem" => { group_by: %i[generation gem], sort: :count, top: 1 },
    "with redacted names" => { holders: true, redact: true, only: "Session" }
  }.each do |name, options|
    it "is kept by results #{name}" do
      expect(complaints(LeakHunter.diff(*dumps, **options))).to be_empty
    end
  end

  it "is kept by results of marks and living heaps" do
    kept = []
    first = LeakHunter.mark
    kept << Array.new(50) { Object.new }
    second = LeakHunter.mark
    result = LeakHunter.diff(first, second, LeakHunter::Heap.live, holders: true)
    expect(complaints(result)).to be_empty
    expect(kept.flatten.size).to eq(50)
  ensure
    LeakHunter.untrace!
  end

  it "is what the types in sig/ are made of" do
    require_relative "../../rakelib/support/rbs_of_schema"
    signatures = File.read(File.expand_path("../../sig/result.rbs", __dir__))
    expect(signatures).to eq(RBSOfSchema.new(LeakHunter::Diff::RESULT_SCHEMA).to_s)
  end

  it "is kept by the results that other examples are made of" do
    result = SampleReport.with_holders(SampleReport.holder)
    # which hold what their examples need
    expect(complaints(result).grep_v(/required property/)).to be_empty
  end
end
