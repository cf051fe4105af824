# frozen_string_literal: true

require "leak_hunter/working_directory"

# A deployment deletes an old release while processes that were started there still run.
RSpec.describe LeakHunter::WorkingDirectory, :tmpdir do
  # Runs code in a folder that is deleted first.
  def run_without_directory(code)
    run_ruby(<<~RUBY, options: ["-rleak_hunter/working_directory"])
      dir = File.join(#{@tmpdir.dump}, "release")
      Dir.mkdir(dir)
      Dir.chdir(dir)
      Dir.rmdir(dir)
      #{code}
    RUBY
  end

  it "is nil when it was deleted" do
    expect(run_without_directory("p LeakHunter::WorkingDirectory.path")).to eq("nil\n")
    expect(described_class.path).to eq(Dir.pwd)
  end

  it "is not needed for a text report" do
    sample = File.expand_path("../support/sample_report.rb", __dir__)
    report = run_without_directory("load #{sample.dump}; puts LeakHunter::Report.new(SampleReport.result)")
    expect(report).to eq(LeakHunter::Report.new(SampleReport.result).to_s)
  end

  it "is not needed for dumps elsewhere, and asked for with a reason" do
    output = run_without_directory(<<~RUBY)
      2.times { |number| LeakHunter.dump!(dir: #{@tmpdir.dump}) }
      LeakHunter.dump!(#{@tmpdir.dump} + "/x.json")
      puts LeakHunter.configuration.inspect
      [-> { LeakHunter.dump! }, -> { LeakHunter.dump!("x.json") }, -> { LeakHunter.configuration.dir = "x" }].each do |it|
        it.call
        puts "nothing raised"
      rescue LeakHunter::UsageError => error
        puts error.message
      end
    RUBY
    expect(output.lines[0]).to include("dir=nil")
    expect(output.lines.drop(1)).to match([/default directory/, /"x\.json"/, /"x"/])
    expect(Dir.glob(File.join(@tmpdir, "*.json*")).size).to eq(3)
  end

  it "refuses what is no path" do
    ["a\0b", "~no-such-user/x", 5].each do |path|
      expect { described_class.expand(path, "dir") }.to raise_error(LeakHunter::UsageError, /\Adir: /)
    end
  end
end
