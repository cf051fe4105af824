# frozen_string_literal: true

require "json"
require "open3"
require "rbconfig"
require_relative "../fixtures/holders/holder_kinds"

# Whoever holds what leaked is named first, and what is promised of letting go comes true: each of the kinds in a
# process of its own.
RSpec.describe "The holder of a leak" do
  folder = File.expand_path("../fixtures/holders", __dir__)
  # Written by `ruby spec/fixtures/holders/fingerprints.rb`, on Ruby 3.1 and with another seed than here.
  known = JSON.parse(File.read(File.join(folder, "fingerprints.json")))
  seed = "2"

  # Bytes that come and go beside; what of the promise may be missing, and what may be free on top of it: Ruby tells of
  # no object how much it takes to the byte, and of classes least.
  noise = 16_384
  missing = 0.03
  more = 0.1

  results = {}

  before(:all) do
    waiting = Queue.new
    HolderKinds.all.each_key { |name| waiting << name }
    waiting.close
    Array.new(2) do
      Thread.new do
        while (name = waiting.pop)
          Dir.mktmpdir("leak_hunter-holder") do |dir|
            output, errors, status = Open3.capture3(RbConfig.ruby, "-w", File.join(folder, "run.rb"), name, seed, dir)
            results[name] = status.success? && errors.empty? ? JSON.parse(output, symbolize_names: true) : errors
          end
        end
      end
    end.each(&:join)
  end

  HolderKinds.all.each_value do |kind|
    describe kind.name do
      let(:result) { results.fetch(kind.name).tap { |result| raise result if result.is_a?(String) } }
      let(:holder) { result[:found][:holders].first }

      it "is named first: #{kind.words.join(" … ")}" do
        expect(holder[:name]).to(satisfy { |name| kind.named_in?(name) })
        holders = kind.holders.map { |name| name || "root" }
        expect(holders).to include(holder[:kind] == "root" ? "root" : holder[:class])
      end

      it "accounts for all that leaked" do
        groups = result[:found][:groups]
        counts = holder[:groups].to_h { |group| [groups[group[:index]]&.fetch(:class), group[:count]] }
        expect(counts[result[:leaked][:class]]).to eq(kind.per_round)
      end

      it "is known again in another run and on another Ruby" do
        expect(holder[:fingerprint]).to eq(known.fetch(kind.name))
      end

      next if kind.uncut

      it "gives back what was promised when its edge is cut" do
        freed = result[:before][:memsize] - result[:after][:memsize]
        exclusive, shared, cut = holder[:retained].values_at(:exclusive, :shared, :cut)
        least = [exclusive, cut].max
        expect(freed).to be >= (least * (1 - missing)) - noise
        next if kind.cut_also || kind.cut_edges == :many || cut.zero?

        expect(freed).to be <= ((cut + shared) * (1 + more)) + noise
      end
    end
  end

  it "has a fingerprint that no other kind has" do
    fingerprints = results.values.map { |result| result[:found][:holders].first[:fingerprint] }
    expect(fingerprints.uniq.size).to eq(HolderKinds.all.size)
  end
end
