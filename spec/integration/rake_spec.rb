# frozen_string_literal: true

require "json"

RSpec.describe "The rake tasks", :tmpdir do
  # Runs rake on a Rakefile, in a process and a folder of its own.
  #
  # @return [Array(String, String, Integer)] output, errors, status
  def rake(rakefile, *arguments)
    File.write(File.join(@tmpdir, "Rakefile"), "require \"leak_hunter/rake_task\"\n#{rakefile}")
    program = 'require "rake"; Rake.application.run'
    output, errors, status = Open3.capture3({ "NO_COLOR" => nil, "FORCE_COLOR" => nil }, RbConfig.ruby, "-w", "-I",
                                            RealDumps::LIB, "-e", program, *arguments, chdir: @tmpdir)
    [output, errors.lines.grep_v(%r{/gems/.*warning:}).join, status.exitstatus]
  end

  def dumps = Dir.children(File.join(@tmpdir, "tmp", "leak_hunter"))

  leaky = <<~'RUBY'
    class Session
      def initialize(number) = @token = "token #{number} " * 10
    end

    SESSIONS = []
  RUBY

  it "fails when something grows beyond its budget, and names it" do
    output, errors, status = rake(<<~RUBY, "leaks")
      #{leaky}
      LeakHunter::RakeTask.new(:leaks) { |task| task.exercise = ->(round) { SESSIONS << Session.new(round) } }
    RUBY
    expect(status).to eq(1)
    expect(output).to match(/^1\. GROWING  SESSIONS$.*^   code +Rakefile:8 /m)
    expect(errors).to match(/^leaks: SESSIONS grows: 20 objects, .*Rakefile:8 \(app\)$/)
      .and match(/\nleaks: 1 over .*9 objects .*10 rounds[^\n]*\n\z/)
    expect(errors).not_to include("rake aborted", "Rake::")
    expect(dumps).to be_empty
    # which a command would need
    expect(output).not_to match(/^ *next/)
    expect(output).to match(/task\.keep = true/)
  end

  it "names a command that can be run where the dumps are kept" do
    output, _, status = rake(<<~RUBY, "leaks")
      #{leaky}
      LeakHunter::RakeTask.new(:leaks) do |task|
        task.exercise = ->(round) { SESSIONS << Session.new(round) }
        task.keep = true
      end
    RUBY
    expect(status).to eq(1)
    expect(output.gsub(/\\\n */, "")[/^ *next *\n? *leak_hunter why +(\S+) /, 1])
      .to(satisfy { |path| File.file?(path.to_s) })
    expect(output).not_to include("task.keep")
  end

  it "finds what only makes inline caches grow", if: RUBY_VERSION < "3.3" do
    output, errors, status = rake(<<~'RUBY', "leaks")
      module Job
        def self.run(id:) = id
      end
      LeakHunter::RakeTask.new(:leaks) do |task|
        task.exercise = ->(_) { 50.times { |number| eval("Job.run(id: #{number})") } }
        task.rounds = 20
      end
    RUBY
    expect(status).to eq(1)
    expect(output).to match(/^1\. GROWING  method cache of the class Job$/)
    expect(errors).to match(/^leaks: method cache of the class Job grows/)
  end

  it "passes when the latest round alone is held, and leaves tracing as it was" do
    output, errors, status = rake(<<~RUBY, "fine")
      #{leaky}
      LeakHunter::RakeTask.new(:fine) { |task| task.exercise = ->(round) { @last = Session.new(round) } }
      at_exit { puts LeakHunter.tracing? }
    RUBY
    expect([errors, status]).to eq(["", 0])
    expect(output).to match(/\nfine: within budget.* 9 objects .*10 rounds\.\nfalse\n\z/)
    expect(output).not_to match(/Session|String/)
    expect(dumps).to be_empty
  end

  it "does not take for a leak what a deep call of the last round left on the stack" do
    output, _, status = rake(<<~RUBY, "fine")
      #{leaky}
      def deep(number, levels) = levels.zero? ? Session.new(number) : [levels].map { deep(number, levels - 1) }.first
      LeakHunter::RakeTask.new(:fine) do |task|
        task.exercise = ->(round) { deep(round, 50) }
        task.rounds = 1
        task.budget = 0
      end
    RUBY
    expect(output).not_to match(/Session|String/)
    expect(status).to eq(0)
  end

  it "runs setup, warm-up and two batches of rounds, numbered through" do
    output, = rake(<<~RUBY, "count")
      LeakHunter::RakeTask.new(count: :before) do |task|
        task.setup = -> { print "setup" }
        task.exercise = ->(round) { print " ", round }
        task.warmup = 1
        task.rounds = 2
      end
      task(:before) { print "before " }
    RUBY
    expect(output).to start_with("before setup 1 2 3 4 5")
  end

  it "keeps the dumps where it is told, and obeys the options of a diff" do
    output, _, status = rake(<<~RUBY, "leaks")
      #{leaky}
      LeakHunter::RakeTask.new(:leaks) do |task|
        task.exercise = ->(round) { SESSIONS << Session.new(round) }
        task.budget = { objects: 10, bytes: 5_000 }
        task.dir = "kept"
        task.keep = true
        task.format = :classic
        task.group_by = %i[type file line]
        task.only = "Session"
      end
    RUBY
    expect(status).to eq(0)
    kept = Dir[File.join(@tmpdir, "kept", "*.json*")]
    expect(kept.size).to eq(3)
    expect(output).to match(%r{\ARetained 10 OBJECT objects of size 0/400 at: .*/Rakefile:9\n\nTotal Size: 0/400\n})
      .and end_with(" #{kept.join(" ")}\n")
    expect(RealDumps.leak_hunter("diff", *kept).first).to match(/^1\. GROWING  SESSIONS$/)
  end

  it "leaves nothing behind when the exercise raises" do
    _, errors, status = rake(<<~RUBY, "broken")
      LeakHunter::RakeTask.new(:broken) { |task| task.exercise = ->(round) { raise "at \#{round}" if round == 15 } }
    RUBY
    expect(status).to eq(1)
    expect(errors).to include("at 15")
    expect(dumps).to be_empty
  end

  it "compares dumps, with the options of the tools" do
    output, errors, status = rake("LeakHunter::RakeTask.new", "leak_hunter:diff[#{RealDumps.paths.join(",")}]")
    expect([errors, status]).to eq(["", 0])
    expect(output).to eq(RealDumps.leak_hunter("diff", *RealDumps.paths).first)

    output, = rake(<<~RUBY, "leak_hunter:diff[#{RealDumps.paths.join(",")}]")
      LeakHunter::RakeTask.new do |task|
        task.format = :json
        task.top = 1
        task.group_by = %i[class gem]
        task.only = [/sess\\/?/i, "String"]
      end
    RUBY
    result = JSON.parse(output)
    expect(result["group_by"]).to eq(%w[class gem])
    expect(result["groups"].map { |group| group["class"] }).to eq(%w[String])
  end

  it "fails with the command line's status" do
    expect(rake("LeakHunter::RakeTask.new", "leak_hunter:diff[1.json]").last).to eq(2)
    output, errors, status = rake("LeakHunter::RakeTask.new", "leak_hunter:diff[1.json,2.json,3.json]")
    expect([output, errors, status]).to eq(["", "leak_hunter: 1.json: no such file\n", 1])
  end
end
