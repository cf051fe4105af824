# frozen_string_literal: true

require "json"
require "open3"
require "rbconfig"
require_relative "../fixtures/programs/programs"

# Small programs of which the report has to say the right thing: each in a process of its own.
RSpec.describe "Programs that leak" do
  folder = File.expand_path("../fixtures/programs", __dir__)
  programs = Programs.all.values.select { |program| program.on?(RUBY_VERSION) }
  results = {}

  before(:all) do
    waiting = Queue.new
    programs.each { |program| waiting << program.name }
    waiting.close
    Array.new(2) do
      Thread.new do
        while (name = waiting.pop)
          Dir.mktmpdir("leak_hunter-program") do |dir|
            output, errors, status = Open3.capture3(RbConfig.ruby, "-w", File.join(folder, "run.rb"), name, dir, "4")
            results[name] = status.success? && errors.empty? ? JSON.parse(output, symbolize_names: true) : errors
          end
        end
      end
    end.each(&:join)
  end

  programs.each do |program|
    describe program.name do
      let(:result) { results.fetch(program.name).tap { |result| raise result if result.is_a?(String) } }
      let(:diffs) { result[:diffs] }
      let(:holders) { diffs.first[:holders] }
      let(:names) { holders.flat_map { |holder| [holder, *holder[:together]] }.map { |holder| holder[:name] } }

      it "is said to leak by #{program.named.map { |name| name.is_a?(Regexp) ? name.source : name }.join(", ")}" do
        expect(names).to include(*program.named)
      end

      unless program.unnamed.empty?
        it "is not said to leak by #{program.unnamed.map(&:inspect).join(", ")}" do
          names = holders.map { |holder| holder[:name].to_s }
          expect(names).not_to include(*program.unnamed)
        end
      end

      it "has the same holders however many groups are asked for" do
        expect(result[:top_only].map { |holder| holder.slice(:name, :count, :entries) })
          .to eq(holders.map { |holder| holder.slice(:name, :count, :entries) })
      end

      it "has the same fingerprints in the next diff" do
        # what accounts for less than a hundredth is not the leak
        leaks = diffs.map do |diff|
          least = diff[:holders].sum { |holder| holder[:count] } / 100
          diff[:holders].select { |holder| holder[:count] > least }.map { |holder| holder[:fingerprint] }
        end
        expect(leaks[1]).to match_array(leaks[0])
      end

      program.checks.each do |words, check|
        it(words) { instance_exec(diffs, &check) }
      end
    end
  end
end
