# frozen_string_literal: true

require "digest"
require "json"
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
    [report.to_s, report.to_html.gsub("&#39;", "'").tr("\u00A0", " "), report.to_markdown.delete("\\")].each do |text|
      expect(text.split.join(" ")).to include("1 leak", "Sessions::ALL", "+550 kB, then +550 kB", "session.rb:42",
                                              "18,000 entries +9,000, +9,000", "leak_hunter why 3.json 0x7f0000000028")
    end
  end

  it "has the flame graph of what leaked in it, its names as text, and a policy for its script alone" do
    result = LeakHunter.diff(*RealDumps.paths, holders: true, flame: true)
    result[:flame].first[:labels][0] = hostile
    html = described_class.new(result).to_html
    page = tree(html.gsub(%r{(<script>).*?(</script>)}m, '\1\2').gsub(/<input [^>]*>/, ""))
    policy = REXML::XPath.first(page, "//meta[@http-equiv]/@content").value
    texts = [html.scan(%r{<style>(.*?)</style>}m), html.scan(%r{<script>(.*?)</script>}m)].map(&:flatten)
    expect(texts.map(&:size)).to eq([2, 1])
    sources = texts.map { |all| all.map { |text| "'sha256-#{Digest::SHA256.base64digest(text)}'" }.join(" ") }
    expect(policy).to include("default-src 'none'; style-src #{sources[0]}; script-src #{sources[1]};")
    data = JSON.parse(REXML::XPath.first(page, "//script[@id='data']").text)
    expect(data["title"]).to eq("allocated between 1.json and 2.json, alive in 3.json")
    expect(data["views"].first["labels"].first).to eq(LeakHunter::Printable.call(hostile))
    expect(data["views"].map { |view| [view["count"].sum, view["bytes"].sum] })
      .to all(eq(result[:totals].values_at(:count, :memsize)))
  end

  it "has no flame graph, and allows no script, where the diff has none" do
    html = described_class.new(LeakHunter.diff(*RealDumps.paths, holders: true)).to_html
    expect(html).not_to match(/script|Flame/)
  end

  # The rows of the groups' table: title, objects, bytes, share.
  def rows_of_text(text)
    text.scan(/^(\S.*?)  +([\d,]+) +([\d.]+ [kM]?B) +(<?[\d.]+ %)(?: +[\d-]+)?$/)
  end

  def rows_of_html(html)
    table = REXML::XPath.match(tree(html), "//table").find { |it| it.to_s.include?("allocated at") }
    REXML::XPath.match(table, "tbody/tr").map do |row|
      row.elements.to_a.map do |it|
        it.text.to_s
      end.values_at(0, 2, 3, 4)
    end
  end

  def rows_of_markdown(markdown)
    lines = markdown.delete("\\").lines(chomp: true).drop_while { |line| !line.start_with?("| ---") }.drop(1)
    lines.take_while { |line| line.start_with?("|") }.map { |line| line.split("|").map(&:strip).values_at(1, 3, 4, 5) }
  end

  def cache(**keys)
    SampleReport.group(type: "IMEMO", class: "callcache", cache_count: 4, count: 4, memsize: 160,
                       cache_memsize: 160, **keys)
  end

  mixed = SampleReport.string.merge(count: 40, cache_count: 3, memsize: 60_600, cache_memsize: 120)
  { "caches alone" => [:cache], "caches, and groups with some" => [:session, :cache, mixed],
    "no caches" => %i[session string] }.each do |name, parts|
    it "has the same rows and numbers in text, HTML, Markdown and the Hash: #{name}" do
      groups = parts.map { |it| { cache:, session: SampleReport.session, string: SampleReport.string }.fetch(it, it) }
      result = SampleReport.with_holders(SampleReport.holder, groups:)
      report = described_class.new(result)
      rows = rows_of_text(report.to_s(sites: true))
      expect(rows_of_html(report.to_html)).to eq(rows)
      expect(rows_of_markdown(report.to_markdown)).to eq(rows)
      caches = groups.sum { |it| it[:cache_count].to_i }
      shown = rows.find { |title, *| title == "VM inline caches" }
      expect(shown ? shown[1] : "0").to eq(caches.to_s)
      next if caches.zero?

      # where holders are summed up, it is the same number
      [report.to_s, report.to_html, report.to_markdown].each do |text|
        expect(text).to include("VM inline caches: #{caches} objects, #{shown[2]}")
      end
    end
  end

  it "adds up, however many groups are shown and whatever they are by" do
    [{}, { group_by: %i[gem] }, { group_by: %i[class] }, { group_by: %i[file line], top: 3 }, { holders: true }]
      .each do |options|
      result = LeakHunter.diff(*RealDumps.paths, **options)
      expect(result[:totals][:cache_count]).to be >= 1
      [1, 2, nil].each do |top|
        groups = described_class::Groups.new(result, top:)
        *rows, all = [*groups.shown, *groups.sums]
        expect([rows.sum(&:objects), rows.sum(&:memsize)]).to eq([all.objects, all.memsize])
        expect([all.objects, all.memsize]).to eq(result[:totals].values_at(:count, :memsize))
        caches = rows.find { |row| row.title == "VM inline caches" }
        expect([caches.objects, caches.memsize]).to eq(result[:totals].values_at(:cache_count, :cache_memsize))
      end
    end
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
