# frozen_string_literal: true

require "leak_hunter/recorder"

RSpec.describe LeakHunter::Recorder::Timestamp do
  def text(microseconds) = described_class.append(+"", microseconds)

  it "is what Ruby says" do
    random = Random.new(RSpec.configuration.seed)
    days = [0, 59, 60, 365, 11_016, 11_017, 19_782, 47_540, 84_005] # ends of February, and of centuries
    moments = days.flat_map { |day| [day * 86_400_000_000, ((day + 1) * 86_400_000_000) - 1] }
    moments += Array.new(2000) { random.rand(2**53) }
    expect(moments.map { |moment| text(moment) })
      .to eq(moments.map { |moment| Time.at(moment / 1_000_000r).utc.strftime("%Y-%m-%dT%H:%M:%S.%6NZ") })
  end

  it "is now" do
    expect(described_class.now).to be_within(60_000_000).of(Time.now.to_f * 1_000_000)
  end
end
