# frozen_string_literal: true

require "json"

# Everything in a block of code in docs/gems.md runs, and says what it says.
RSpec.describe "docs/gems.md", :tmpdir do
  include Reader

  page = Document.new("docs/gems.md")
  command = page.take("leak_hunter gems 3.json")
  shown = page.take("11 gems in the Gemfile")
  in_ruby = page.take("LeakHunter.gems                     #")
  watching = page.take("LeakHunter.gems(watch: \"10m\")")
  settings = page.take("gems:\n  ignore:")

  it "has no block that nothing here runs" do
    expect(page.left.map(&:to_s)).to be_empty
  end

  # Sizes and versions are of one machine, and so is where lines end.
  def words(text) = text.gsub(/\d[\d.,]*/, "N").split

  it "shows what the command prints, and says the same in Ruby" do
    gem_app("sinatra", @tmpdir)
    calls = in_ruby.lines.map { |line| line[/\ALeakHunter[^#]*/].strip }
    calls << watching[/\ALeakHunter.*?\)/].sub("10m", "0.3s")
    output = run_gem_app(@tmpdir, <<~RUBY)
      require "json"
      LeakHunter.dump!(File.join(Dir.pwd, "3.json"))
      puts [#{calls.join(", ")}].to_json
    RUBY
    printed = run("bash", "-c", "#{command.strip} || true")
    # what pry itself needs differs by its version
    same = words(shown[/.*Without it go/m])
    expect(words(printed).each_cons(same.size)).to include(same)
    JSON.parse(output.lines.last, symbolize_names: true).each do |rows|
      expect(rows.first).to include(name: "pry", verdict: "probably_unused", confidence: "high")
    end

    File.write(File.join(@tmpdir, ".leak_hunter.yml"), settings)
    expect(run("bash", "-c", "#{command.strip} || true")).to match(/^Ignored, as .leak_hunter.yml says: pry\.$/)
  end

  it "explains every verdict, confidence and kind of use that there is" do
    known = [*LeakHunter::Gems::VERDICTS, *LeakHunter::Gems::CONFIDENCES]
    expect(page.text.scan(/^\| `(\w+)` \|/).flatten).to match_array(known)
    kinds = File.read(File.join(Document::ROOT,
                                "ext/leak_hunter_core/src/gem_use/kinds.rs")).scan(/=> "(\w+)",/).flatten
    table = page.text[/^\| seen in the heap.*?\n\n/m]
    expect(table.scan(/^\| (`[^|:]*):/).flatten.join.scan(/\w+/)).to match_array(kinds)
  end
end
