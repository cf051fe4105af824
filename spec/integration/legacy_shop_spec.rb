# frozen_string_literal: true

require "json"
require "open3"
require "rbconfig"

# What an engineer would do: run the checkup, do what its page says, and run it again.
RSpec.describe "The old shop and its checkup", :tmpdir do
  before { %w[puma sinatra sqlite3 pry redis rubocop rubocop-performance].each { |name| needs_gem(name) } }

  demo = File.expand_path("../../examples/legacy_shop/demo.rb", __dir__)

  define_method(:checkup) do |*options|
    output, errors, status = Open3.capture3({ "RUBYLIB" => RubyProcess::LIB, "COLUMNS" => "80" }, RbConfig.ruby, "-w",
                                            demo, *options)
    expect(errors.lines.grep(/warning:.*leak_hunter/)).to eq([])
    [output, status.exitstatus]
  end

  # Debian's newest sqlite3 has the leak no more.
  def leaking_sqlite3? = Gem::Specification.find_by_name("sqlite3").version < Gem::Version.new("2.9.6")

  def sections(page) = page.split(/^(?=\d\. |Step \d)/).to_h { |part| [part[/\A(?:\d\. \S+ +\S+|Step \d)/], part] }

  it "tells the story in order: what grows, with what explains it, then the five steps" do
    page, status = checkup
    parts = sections(page)
    memo = parts.find { |title, _| title&.match?(/GROWING +LegacyShop::Prices/) }&.last
    expect(memo).to include("cause", "LeakHunter/UnboundedMemo, lib/legacy_shop/prices.rb:12")
    expect(page.scan(/^Step \d/)).to eq(["Step 1", "Step 2", "Step 3", "Step 4", "Step 5"])
    expect(parts["Step 1"]).to include("redis").and include("pry")
    expect(parts["Step 1"]).not_to match(/^ +medium +(puma|rack|sinatra|sqlite3)/)
    expect(parts["Step 3"]).to include("Style/ClassVars").and include("Style/GlobalVars")
    expect(parts["Step 4"]).to match(/LegacyShop::Prices\.@quotes \(the heap shows it\)/)
    if leaking_sqlite3?
      expect(parts["Step 2"]).to match(/high +sqlite3 .*\(the heap\s+shows it\)/)
      expect(page).to match(/cause +known leak of sqlite3/)
    end
    expect(page.lines(chomp: true).map(&:length).max).to be <= 80
    expect(status).to eq(1)
  end

  it "is clean once everything is done that the page says" do
    page, status = checkup("--fixed", "--format", "json")
    result = JSON.parse(page)
    severe = result["steps"].flat_map { |step| step["findings"] }.reject { |finding| finding["severity"] == "low" }
    expect(severe).to eq([])
    expect(result["growth"]).to eq([])
    expect(result["verdict"]).to eq("clean")
    expect(status).to eq(0)
  end
end
