# frozen_string_literal: true

require "json"
require "stringio"
require "yaml"

RSpec.describe LeakHunter::Lint, :tmpdir do
  include ProjectFiles

  def memo(name) = "class #{name}\n  def self.of(key) = (@all ||= {})[key] ||= Object.new\nend\n"

  def found(**options) = LeakHunter.lint(@tmpdir, **options).map { |finding| finding.values_at(:path, :variable) }

  def cli(*argv)
    stdout = StringIO.new
    stderr = StringIO.new
    status = LeakHunter::CLI.new(["lint", *argv, @tmpdir], stdout:, stderr:).run
    [status, stdout.string, stderr.string]
  end

  it "reads the project's code and templates, not its tests, nor what others wrote" do
    write("lib/a.rb" => memo("A"), "app/b.rb" => memo("B"), "c.rake" => memo("C"), "Rakefile" => memo("D"),
          "spec/e_spec.rb" => memo("E"), "vendor/bundle/f.rb" => memo("F"), "node_modules/g/g.rb" => memo("G"),
          "app/views/h.erb" => "<% H = {} unless defined?(H) %>\n<p><%= 1 %></p>\n")
    expect(found).to contain_exactly(["lib/a.rb", "A.@all"], ["app/b.rb", "B.@all"], ["c.rake", "C.@all"],
                                     ["Rakefile", "D.@all"])
  end

  it "reads what the settings say" do
    write("lib/a.rb" => memo("A"), "lib/old/b.rb" => memo("B"), "vendor/ours/c.rb" => memo("C"), "d.rb" => memo("D"),
          ".leak_hunter.yml" => "lint: {paths: [lib, vendor/ours], exclude: ['lib/old/**/*']}\n")
    expect(found.map(&:first)).to contain_exactly("lib/a.rb", "vendor/ours/c.rb")
    write(".leak_hunter.yml" => "lint: {paths: [libs]}\n")
    expect { found }.to raise_error(LeakHunter::UsageError, /lint: paths: libs does not exist in/)
  end

  it "has findings of RuboCop beside its own, ranked by what grows in their files" do
    needs_gem("rubocop")
    write(".rubocop.yml" => "", "lib/a.rb" => "class A\n  @@one = 1\nend\n",
          "lib/b.rb" => "class B\n  @@kept = []\n  def self.add(it) = @@kept << it\nend\n")
    dumps = run_ruby(<<~RUBY, @tmpdir).lines(chomp: true)
      require File.join(ARGV[0], "lib/b")
      work = -> { 400.times { |number| B.add(Object.new) } }
      work.call
      puts(Array.new(3) { LeakHunter.dump!(dir: File.join(ARGV[0], "tmp")).path.tap { work.call } })
    RUBY
    report = LeakHunter.diff(*dumps, holders: true)
    findings = LeakHunter.lint(@tmpdir, report:)
    expect(findings.map { |it| it.values_at(:rule, :path, :severity, :confirmed) }).to eq(
      [["LeakHunter/UnboundedCollection", "lib/b.rb", "high", true], ["Style/ClassVars", "lib/b.rb", "medium", nil],
       ["Style/ClassVars", "lib/a.rb", "low", nil]]
    )
    expect(findings.map { |it| it[:grown].positive? }).to eq([true, true, false])
    expect(LeakHunter.lint(@tmpdir, report:, rubocop: false).map { |it| it[:rule] })
      .to eq(["LeakHunter/UnboundedCollection"])
  end

  it "confirms a rule that is about no variable where what grows was allocated on its line" do
    per_call = "class %s\n  def row(values) = Struct.new(*values.keys).new(*values.values)\nend\n"
    write("lib/rows.rb" => format(per_call, "Rows"), "lib/views.rb" => format(per_call, "Views"))
    dumps = run_ruby(<<~RUBY, @tmpdir).lines(chomp: true)
      require File.join(ARGV[0], "lib/rows")
      KEPT = []
      work = -> { 400.times { KEPT << Rows.new.row({ a: 1 }) } }
      LeakHunter.trace!
      work.call
      puts(Array.new(3) { LeakHunter.dump!(dir: File.join(ARGV[0], "tmp")).path.tap { work.call } })
    RUBY
    findings = LeakHunter.lint(@tmpdir, report: LeakHunter.diff(*dumps, holders: true))
    expect(findings.map { |it| it[:rule] }.uniq).to eq(["LeakHunter/ClassPerCall"])
    expect(findings.map { |it| it.values_at(:path, :confirmed, :severity) })
      .to eq([["lib/rows.rb", true, "high"], ["lib/views.rb", nil, "medium"]])
  end

  it "leaves out what the baseline has, and says what is no longer found" do
    write("lib/a.rb" => memo("A"), "lib/b.rb" => memo("B"))
    status, output, = cli("--update-baseline")
    expect([status, output]).to match([0, /\A2 findings written to .*\.leak_hunter_baseline\.yml\n\z/])
    expect(YAML.load_file(File.join(@tmpdir, ".leak_hunter_baseline.yml")).map { |it| it["path"] })
      .to eq(%w[lib/a.rb lib/b.rb])
    expect(cli).to match([0, include("2 findings left out, as the baseline says."), ""])
    write("lib/a.rb" => "\n\n#{memo("A")}", "lib/b.rb" => "B = 1\n", "lib/c.rb" => memo("C"))
    expect(cli).to match([1, include("lib/c.rb:2", "1 finding left out", "No longer found: 1 of the baseline"), ""])
    expect(found.map(&:first)).to eq(["lib/c.rb"])
  end

  it "refuses a baseline that is none" do
    { "a: 1\n" => /expected a list of findings/, "- 1\n" => /expected a list of findings/, "[" => /not valid YAML/ }
      .each do |text, message|
        write(".leak_hunter_baseline.yml" => text)
        expect(cli("--no-rubocop")).to match([2, "", message])
      end
    write(".leak_hunter.yml" => "lint: {baseline: none.yml}\n")
    expect(cli("--no-rubocop")).to match([2, "", /none\.yml: cannot be read: No such file/])
  end

  it "is JSON for programs" do
    write("lib/a.rb" => memo("A"), "lib/broken.rb" => "class X\n  def (\nend\n")
    status, output, = cli("--format", "json")
    result = JSON.parse(output)
    expect(status).to eq(1)
    expect(result).to include("schema" => 1, "files" => 2, "ignored" => 0, "known" => 0, "stale" => [])
    expect(result["findings"].first).to include("rule" => "LeakHunter/UnboundedMemo", "path" => "lib/a.rb", "line" => 2)
    expect(result["notes"].join).to include("lib/broken.rb:").and include("RuboCop was not run")
  end

  it "says what is wrong with the folder" do
    expect { LeakHunter.lint(File.join(@tmpdir, "none")) }.to raise_error(LeakHunter::UsageError, /none.*No such file/)
    expect(cli("--dumps", "1.json,2.json")).to match([2, "", /--dumps: expected three dumps or more, got 2/])
  end
end
