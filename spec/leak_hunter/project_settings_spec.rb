# frozen_string_literal: true

require "leak_hunter"

RSpec.describe LeakHunter::Project::Settings, :tmpdir do
  def settings(yaml, today: Time.new(2026, 11, 27))
    File.write(File.join(@tmpdir, ".leak_hunter.yml"), yaml)
    described_class.load(@tmpdir, today:)
  end

  def error_of(yaml)
    settings(yaml).ignores("gems")
    nil
  rescue LeakHunter::UsageError => e
    e.message
  end

  it "has defaults where there is no file, and where the file is empty" do
    [described_class.load(@tmpdir), settings(""), settings("gems:\nlint:\n  ignore:\n")].each do |settings|
      expect([settings.fail_on, settings.lint_paths, settings.lint_exclude, settings.rubocop?, settings.baseline])
        .to eq([nil, nil, [], true, nil])
      expect(settings.ignores("gems").find("bootsnap")).to be_nil
    end
  end

  it "reads all that the documentation shows" do
    settings = settings(<<~YAML)
      fail_on: high
      gems:
        ignore:
          - {name: bootsnap, reason: used by bin/boot only, until: 2027-06-30}
      advisories:
        ignore: [{name: sqlite3-722, reason: no aggregates here}]
      lint:
        paths: [app, lib]
        exclude: ["vendor/**/*"]
        rubocop: false
        baseline: .leak_hunter_baseline.yml
        ignore: [{name: LeakHunter/UnboundedMemo, reason: reviewed}]
    YAML
    expect([settings.fail_on, settings.lint_paths, settings.lint_exclude, settings.rubocop?, settings.baseline])
      .to eq(["high", %w[app lib], ["vendor/**/*"], false, ".leak_hunter_baseline.yml"])
    expect(%w[gems advisories lint].map { |section| settings.ignores(section).unused.map(&:name) })
      .to eq([["bootsnap"], ["sqlite3-722"], ["LeakHunter/UnboundedMemo"]])
  end

  it "ignores a finding until the day that is given, and on that day" do
    entry = "gems: {ignore: [{name: oj, reason: later, until: 2026-11-27}]}"
    expect(settings(entry).ignores("gems").find("oj").reason).to eq("later")

    ignores = settings(entry, today: Time.new(2026, 11, 28)).ignores("gems")
    expect(ignores.find("oj")).to be_nil
    expect(ignores.expired.map(&:name)).to eq(["oj"])
    expect(ignores.unused).to be_empty
  end

  it "says where the file is wrong, and what it takes" do
    expect(error_of("gem: {}")).to end_with(
      '.leak_hunter.yml: unknown key "gem". Did you mean gems? The keys are: fail_on, gems, advisories, lint'
    )
    expect(error_of("fail_on: often")).to end_with("fail_on: expected low, medium, high, never, got \"often\"")
    expect(error_of("- 1")).to end_with("expected keys and values, got [1]")
    expect(error_of("gems: []")).to end_with("gems: expected keys and values, got []")
    expect(error_of("lint: {rubocop: maybe}")).to end_with('lint: rubocop: expected true or false, got "maybe"')
    expect(error_of("gems: {ignore: [oj]}")).to end_with(
      'gems: ignore, entry 1: expected name, reason and until, got "oj"'
    )
    expect(error_of("gems: {ignore: [{name: oj}]}")).to end_with("entry 1: reason: expected a text, got nil")
    expect(error_of("gems: {ignore: [{name: oj, reason: x, until: soon}]}")).to end_with(
      'until: expected a day such as 2027-06-30, got "soon"'
    )
    expect(error_of("gems: {ignore: [{name: oj, reason: x, until: '2027-02-30'}]}")).to end_with(
      'until: no such day: "2027-02-30"'
    )
  end

  it "refuses what is not YAML, and YAML that makes objects" do
    expect(error_of("a: [")).to match(/\.leak_hunter\.yml: not valid YAML: /)
    expect(error_of("gems: !ruby/object:Object {}")).to match(/not valid YAML: Tried to load unspecified class: Object/)
    expect(error_of("gems: &a {}\nlint: *a")).to match(/not valid YAML: .*[Aa]lias/)
  end
end
