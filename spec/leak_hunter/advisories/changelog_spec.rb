# frozen_string_literal: true

require "leak_hunter/advisories"
require "zlib"

RSpec.describe LeakHunter::Advisories::Changelog do
  def fixes(text) = described_class.new(text).fixes.map { |fix| [fix.version&.to_s, fix.line] }

  {
    "## 1.2.3" => "1.2.3", "## [1.2.3] - 2024-01-01" => "1.2.3", "=== 1.2.3 / 2024-01-01" => "1.2.3",
    "### 2024-04-04 (2.7.2)" => "2.7.2", "# 3.3.1" => "3.3.1", "- 0.21.2 - 11-06-2026" => "0.21.2",
    "- 17-01-2022 - 0.6.2" => "0.6.2", "1.14.0 / 2020-12-18" => "1.14.0", "8.1.6" => "8.1.6", "v1.2.3" => "1.2.3",
    "# Version 3.32.2" => "3.32.2", "## Release v1.19.2 - 2026/02/13" => "1.19.2", "## RMagick 7.0.4" => "7.0.4",
    "## v1.5.0 [2023-04-24] Somebody" => "1.5.0", "2024-11-11 1.7.4:" => "1.7.4", "*Version 1.2*" => "1.2",
    "### 3.0.0-rc.2 / 2022-07-07" => "3.0.0.rc.2", "## [v4.5.0](https://x/tree/v4.5.0)" => "4.5.0",
    "## 1.2.0 [x](https://x/compare/v1.1.0...v1.2.0)" => "1.2.0", "# 1.30.1 (30 Jun 2025)" => "1.30.1"
  }.each do |heading, version|
    it "knows the version of #{heading.inspect}" do
      expect(fixes("#{heading}\n\n* Fix a memory leak\n")).to eq [[version, 3]]
    end
  end

  it "takes numbers in a text for no version" do
    text = "## 2.0.0\n* Works with libxml 1.9.2\n* Since 1.8.1 it is faster\n  1.5 times\n* Fix a leak of threads\n"
    expect(fixes(text)).to eq [["2.0.0", 5]]
  end

  it "finds leaks of memory, threads and files, and not of other things" do
    leaks = ["Fix memory leak in parser", "No longer leaks file descriptors", "Plug a thread leak", "Fix memory bloat",
             "Stop @pauses from growing unbounded: unbounded growth", "Fixed the leak of the create_id"]
    others = ["Fix information leak in errors", "Stop leaking credentials", "Fix leaky specs",
              "Headers leaked to others", "Tests no longer leak state",
              "Fix leaking config into parent process", "Bleak house", "sleek design"]
    text = "## 1.0\n#{[*leaks, *others].map { |line| "- #{line}\n" }.join}"
    expect(described_class.new(text).fixes.map(&:text)).to eq leaks
  end

  it "reads compressed files, and files in whatever encoding", :tmpdir do
    File.binwrite(path = File.join(@tmpdir, "changelog.gz"), Zlib.gzip("## 1.0\n- M\xFCller fixed a leak\n".b))
    expect(described_class.read(path).fixes.map do |fix|
             [fix.version.to_s, fix.text]
           end).to eq [["1.0", "M?ller fixed a leak"]]
  end

  it "reads anything in time that grows with its size alone" do
    text = "#{"#" * 100_000}\n#{"- 1." * 50_000}\n#{"leak " * 50_000}\n#{"=== 1.2\n" * 20_000}- a leak\n"
    expect(fixes(text)).to eq [["1.2", 20_004]]
  end
end
