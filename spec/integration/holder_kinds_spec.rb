# frozen_string_literal: true

require "json"
require "open3"
require "rbconfig"
require_relative "../fixtures/holders/holder_kinds"

# The little programs that the naming of holders is tried on are true: they hold what they say, by that edge alone.
RSpec.describe "The kinds of holder" do
  folder = File.expand_path("../fixtures/holders", __dir__)

  # What still stands on a stack that is not in use is taken for a reference.
  stragglers = 3

  run = lambda do |script, *arguments|
    output, errors, status = Open3.capture3(RbConfig.ruby, "-w", File.join(folder, script), *arguments)
    raise "#{script} #{arguments.join(" ")}: #{status}\n#{errors}" unless status.success? && errors.empty?

    JSON.parse(output, symbolize_names: true)
  end

  HolderKinds.all.each_value do |kind|
    freed = kind.uncut ? "for good (#{kind.uncut})" : "until its edge is cut"

    it "#{kind.name} holds what it leaks, #{freed}" do
      result = run.call("check.rb", kind.name)
      expect(result[:held]).to eq([1, 2, 3].map { |rounds| rounds * kind.per_round })
      expect(result[:after_cut]).to be <= stragglers unless kind.uncut
    end
  end

  it "are thirty at least, each with a holder and a class of its own" do
    kinds = HolderKinds.all.values
    expect(kinds.size).to be >= 30
    expect(kinds.map(&:leaked).uniq.size).to eq(kinds.size)
    expect(kinds.map(&:words)).to all(be_any)
    expect(kinds.count(&:uncut)).to eq(1)
  end

  it "are found in the diff, at other addresses for another seed, and give their memory back", :tmpdir do
    results = %w[1 2].map { |seed| run.call("run.rb", "subscriber_closure", seed, @tmpdir) }
    groups = results.map do |result|
      leaked, before, after = result.values_at(:leaked, :before, :after)
      expect(before[:objects]).to eq(3 * leaked[:count])
      expect(after[:objects]).to be <= stragglers
      expect(before[:memsize] - after[:memsize]).to be > 3 * leaked[:count] * 200
      result[:found][:groups].find { |group| group[:class] == leaked[:class] }
    end
    expect(groups).to all(include(count: HolderKinds::PER_ROUND))
    expect(groups[0][:addresses] & groups[1][:addresses]).to be_empty
  end
end
