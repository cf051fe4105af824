# frozen_string_literal: true

require "leak_hunter/rake_task"

RSpec.describe LeakHunter::RakeTask do
  let(:application) { Rake::Application.new }

  around do |example|
    outer = Rake.application, Rake::TaskManager.record_task_metadata
    Rake.application = application
    Rake::TaskManager.record_task_metadata = true # as `rake -T` does
    example.run
  ensure
    Rake.application, Rake::TaskManager.record_task_metadata = outer
  end

  def tasks = application.tasks.map(&:name)

  it "defines the tools without a name, and nothing else" do
    described_class.new
    expect(tasks).to eq(%w[leak_hunter:checkup leak_hunter:demo leak_hunter:diff])
    expect(%w[diff checkup].map { |name| application["leak_hunter:#{name}"].arg_names }.uniq)
      .to eq([%i[first second third]])
    expect(application.tasks.map(&:comment)).to all(match(/\w/))
  end

  it "defines one task with a name, with prerequisites as rake takes them" do
    described_class.new(leaks: :environment) { |task| task.exercise = ->(round) { round } }
    expect(tasks).to eq(%w[leaks])
    expect(application["leaks"].prerequisites).to eq(%w[environment])
    expect(application["leaks"].comment).to eq("Fail if the exercise leaks")
  end

  it "leaves a description that is there" do
    application.last_description = "Hunt the cart's leak"
    described_class.new(:cart) { |task| task.exercise = ->(round) { round } }
    expect(application["cart"].comment).to eq("Hunt the cart's leak")
  end

  it "needs an exercise with a name, and a name with an exercise" do
    expect { described_class.new(:leaks) }.to raise_error(LeakHunter::UsageError, /exercise.*leaks/)
    expect { described_class.new { |task| task.exercise = ->(_) {} } }
      .to raise_error(LeakHunter::UsageError, /exercise.*name/)
  end

  it "runs nothing while it is defined" do
    described_class.new(:leaks) do |task|
      task.setup = -> { raise }
      task.exercise = ->(_) { raise }
    end
  end

  it "checks the numbers before it runs anything" do
    { rounds: 0, warmup: -1, budget: { object: 1 } }.each do |setting, value|
      described_class.new(setting) do |task|
        task.setup = -> { raise "ran" }
        task.exercise = ->(_) { raise "ran" }
        task.public_send(:"#{setting}=", value)
      end
      expect { application[setting.to_s].invoke }.to raise_error(LeakHunter::UsageError, /\A#{setting}: expected/)
    end
  end

  describe described_class::Budget do
    def exceeded(limits, rounds: 10)
      groups = [[1, 5_000], [9, 360], [10, 400]].map { |count, memsize| SampleReport.group(count:, memsize:) }
      described_class.new(limits, rounds:).exceeded_by(SampleReport.result(groups:)).map { |group| group[:count] }
    end

    it "is of what grows, where holders are known, and of each batch of rounds" do
      holders = %w[growing once inconclusive].map { |verdict| SampleReport.holder(verdict:, count: 20) }
      result = SampleReport.with_holders(*holders)
      exceeded = ->(of, limits) { described_class.new(limits, rounds: 10).exceeded_by(of) }
      expect(exceeded[result, 0]).to eq([holders.first])
      expect(exceeded[result, 20]).to be_empty
      four = result.merge(dumps: [*result[:dumps], result[:dumps].last])
      expect([exceeded[four, 9].size, exceeded[four, 10].size]).to eq([1, 0])
    end

    it "is of each group, in objects, bytes, or both" do
      expect(exceeded(0)).to eq([1, 9, 10])
      expect(exceeded(9)).to eq([10])
      expect(exceeded({ objects: 10 })).to be_empty
      expect(exceeded({ bytes: 360 })).to eq([1, 10])
      expect(exceeded({ objects: 9, bytes: 5_000 })).to eq([10])
    end

    it "allows less than one object for each round unless told otherwise" do
      expect(exceeded(nil)).to eq([10])
      expect(exceeded(nil, rounds: 9)).to eq([9, 10])
      expect(exceeded(nil, rounds: 1)).to eq([1, 9, 10])
    end

    it "reads well" do
      expect(described_class.new(nil, rounds: 10).to_s).to eq("9 objects")
      expect(described_class.new({ objects: 1, bytes: 10_000 }, rounds: 10).to_s).to eq("1 object and 10,000 bytes")
    end

    it "refuses anything else" do
      [-1, {}, { objects: -1 }, { objects: 1.5 }, { objects: nil }, { memory: 1 }, "0", []].each do |limits|
        expect { described_class.new(limits, rounds: 10) }
          .to raise_error(LeakHunter::UsageError, /\Abudget: expected .* got #{Regexp.escape(limits.inspect)}/)
      end
    end
  end
end
