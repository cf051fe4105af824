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

      said = program.named.map { |name| name.is_a?(Regexp) ? name.source : name }.join(", ")
      if program.leaks_on?(RUBY_VERSION) && program.named.any?
        it "is said to leak by #{said}" do
          expect(names).to include(*program.named)
        end
      elsif program.named.any?
        it "is not said to leak by #{said}, nor by anything else" do
          expect(names.map(&:to_s)).not_to include(*program.named)
          expect(diffs.map { |diff| diff[:verdict][:name] }).to all(eq("no_leak"))
          expect(diffs.map { |diff| diff[:totals][:count] }).to all(be < 100)
        end
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

      program.checks.each do |words, check|
        it(words) { instance_exec(diffs, &check) }
      end

      unless program.grows?
        it "is not said to grow" do
          expect(diffs.flat_map { |diff| diff[:holders] }.map { |holder| holder[:verdict][:name] })
            .not_to include("growing")
        end
      end

      # what stops growing, or does not leak, is not there in the next one
      next unless program.steady?(RUBY_VERSION)

      it "has the same fingerprints in the next diff" do
        # what accounts for less than a hundredth is not the leak
        leaks = diffs.map do |diff|
          least = diff[:holders].sum { |holder| holder[:count] } / 100
          diff[:holders].select { |holder| holder[:count] > least }.map { |holder| holder[:fingerprint] }
        end
        expect(leaks[1]).to match_array(leaks[0])
      end
    end
  end
end
