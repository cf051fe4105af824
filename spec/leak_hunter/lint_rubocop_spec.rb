# frozen_string_literal: true

require "open3"

RSpec.describe LeakHunter::Lint::RuboCop, :tmpdir do
  before { needs_gem("rubocop") }

  include ProjectFiles

  def run(files, lockfile: nil)
    write(files)
    described_class.new(@tmpdir, files.keys.grep(/\.rb\z/), lockfile:).call
  end

  it "runs its own list of cops, whatever the project enables, and no others" do
    settings = "AllCops: {DisabledByDefault: true, Exclude: ['**/*']}\nNo/Such: {Enabled: true}\n"
    code = "class Visits\n  @@all = []\n  def note( x )\n    $last = x\n  end\nend\n"
    result = run({ ".rubocop.yml" => settings, "visits.rb" => code })
    expect(result.problem).to be_nil
    expect(result.version).to match(/\Arubocop \d/)
    expect(result.offences.map { |it| it.slice(:rule, :path, :line, :column) }).to contain_exactly(
      { rule: "Style/ClassVars", path: "visits.rb", line: 2, column: 3 },
      { rule: "Style/GlobalVars", path: "visits.rb", line: 4, column: 5 }
    )
    expect(result.offences.first[:message]).not_to include("Style/ClassVars")
  end

  it "has the cops of its extensions, where they are installed" do
    needs_gem("rubocop-performance")
    result = run({ ".rubocop.yml" => "", "a.rb" => "X = OpenStruct.new(a: 1)\n" })
    expect(result.offences.map { |it| it[:rule] }).to include("Performance/OpenStruct")
    expect(result.version).to include("rubocop-performance")
  end

  it "says which file it could not read, and what it found in the others" do
    result = run({ ".rubocop.yml" => "", "broken.rb" => "def (\n", "good.rb" => "$last = 1\n" })
    expect(result.problem).to eq("RuboCop could not read broken.rb")
    expect(result.offences.map { |it| it[:path] }).to eq(["good.rb"])
  end

  it "is not run where the project does not have it, and says so" do
    result = run({ "a.rb" => "$last = 1\n" })
    expect(result.offences).to be_empty
    expect(result.problem).to start_with("RuboCop was not run: the project does not have it")
  end

  it "is the one of the lock file, also of a bundle that cannot be used" do
    lock = "GEM\n  remote: #{Gem.sources.first.uri}\n  specs:\n    rubocop (0.1.0)\n\n" \
           "PLATFORMS\n  ruby\n\nDEPENDENCIES\n  rubocop\n"
    write("Gemfile" => "source Gem.sources.first.uri.to_s\ngem 'rubocop', '0.1.0'\n", "Gemfile.lock" => lock)
    lockfile = LeakHunter::Project::Lockfile.parse(lock)
    result = run({ "a.rb" => "$last = 1\n" }, lockfile:)
    expect(result.offences).to be_empty
    expect(result.problem).to match(/\ARuboCop was not run: it ended with status \d+: .+/)
  end

  it "reads names that need quoting, and hundreds of files" do
    names = ["with space.rb", "-dash.rb", "ümlaut.rb", "a'quote.rb"] + Array.new(300) { |it| "#{"x" * 200}#{it}.rb" }
    result = run({ ".rubocop.yml" => "", **names.to_h { |name| [name, "$last = 1\n"] } })
    expect(result.problem).to be_nil
    expect(result.offences.map { |it| it[:path] }).to match_array(names)
  end
end
