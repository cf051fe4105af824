# frozen_string_literal: true

require "digest"
require "rexml/document"

# What is sent to colleagues: HTML and Markdown.
RSpec.describe LeakHunter::Report do
  hostile = "</script><script>alert(1)</script>\"'&`|*_[x](y)\e[2J\u202E"

  def result(name, **keys)
    path = SampleReport.holder_path.map { |step| step.merge(class: name) }
    holders = [SampleReport.holder(name:, path:), SampleReport.holder(verdict: "once", name:, path:)]
    group = SampleReport.group(class: name, file: "/#{name}", method: name, gem: name)
    SampleReport.with_holders(*holders, groups: [group], **keys)
  end

  # The page as a tree. What HTML does not close is closed here.
  def tree(html)
    page = html.delete_prefix("<!doctype html>\n").gsub(/<(meta|link)([^>]*)>/, '<\1\2/>')
    REXML::Document.new(page.gsub(/<details class="holder" (open)?>/, "<details>"))
  end

  it "is a page that is well-formed, loads nothing, runs nothing, and shows names as text" do
    html = described_class.new(result(hostile)).to_html
    page = tree(html)
    expect(REXML::XPath.match(page, "//script | //iframe | //img | //@onerror | //@src")).to be_empty
    policy = REXML::XPath.first(page, "//meta[@http-equiv]/@content").value
    style = REXML::XPath.first(page, "//style").text
    expect(policy).to include("default-src 'none'", "'sha256-#{Digest::SHA256.base64digest(style)}'")
    expect(html).not_to match(/[\e\u202E]/)
    shown = LeakHunter::Printable.call(hostile)
    names = REXML::XPath.match(page, "//h2 | //td").map { |cell| cell.texts.map(&:value).join.strip }
    expect(names).to include(end_with(" #{shown}"), shown)
  end

  it "shows the same facts in text, HTML and Markdown" do
    report = described_class.new(SampleReport.with_holders(SampleReport.holder))
    [report.to_s, report.to_html.gsub("&#39;", "'"), report.to_markdown.delete("\\")].each do |text|
      expect(text.split.join(" ")).to include("1 leak", "Sessions::ALL", "+550 kB, then +550 kB", "session.rb:42",
                                              "18,000 entries +9,000, +9,000", "leak_hunter why 3.json 0x7f0000000028")
    end
  end

  it "draws what leaked by its path: frames are as wide as their bytes, and children within their parents" do
    small = SampleReport.holder(memsize: 366_666, path: SampleReport.holder_path.map { |it| it.merge(class: "B") })
    page = tree(described_class.new(SampleReport.with_holders(SampleReport.holder, small)).to_html)
    frames = REXML::XPath.match(page, "//svg[@class='paths']/g").map do |frame|
      box = REXML::XPath.first(frame, "rect")
      [REXML::XPath.first(frame, "title").text, *%w[x y width].map { |name| box.attributes[name].to_f }]
    end
    whole = frames.find { |_, _, top| top.zero? }
    expect(whole).to match([/1\.5 MB/, 0.0, 0.0, be_within(1).of(1000)])
    rows = frames.group_by { |_, _, top| top }.sort.map(&:last)
    rows.each { |row| expect(row.sum { |frame| frame[3] }).to be <= 1000 }
    expect(rows[1].map { |frame| frame[3].round }.sort.reverse).to match([be_within(2).of(750), be_within(2).of(250)])
  end

  it "is Markdown in which names are text, and paths stand as they are" do
    markdown = described_class.new(result(hostile)).to_markdown
    expect(markdown).not_to match(/[\e\u202E]/)
    outside = markdown.gsub(/^(`{3,})\n.*?\n\1$/m, "")
    expect(outside.gsub(/\\./, "")).not_to match(/[<>\[\]`]/)
    expect(markdown[/^(`{3,})\n/, 1].size).to be >= 3
  end

  it "has no holders in it where the diff has none" do
    report = described_class.new(SampleReport.result)
    expect(report.to_markdown).to include("9,037 objects")
    expect(tree(report.to_html).to_s).to include("9,037 objects")
  end
end
