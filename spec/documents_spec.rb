# frozen_string_literal: true

RSpec.describe "The documentation" do
  pages = Document.paths.to_h { |path| [path, Document.new(path)] }
  # What runs their blocks of code.
  specs = Dir[File.join(__dir__, "integration/*_spec.rb")].map { |file| File.read(file) }.join

  # Those for its own developers: nothing that a user is told to do.
  developers = %w[CONTRIBUTING.md]

  pages.each do |path, page|
    it "#{path} links to what is there" do
      missing = page.links.reject do |link|
        File.file?(File.join(Document::ROOT, link.path)) &&
          (link.anchor.nil? || pages[link.path]&.anchors&.include?(link.anchor))
      end
      expect(missing.map(&:to_s)).to be_empty
    end
  end

  it "has no page with code that nothing runs" do
    with_code = pages.values.select { |page| page.left.any? }.map(&:path) - developers
    expect(with_code.reject { |path| specs.match?(/(?:Document\.new|page\.call)\("#{path}"/) }).to be_empty
  end

  it "has no page that no other page links to" do
    linked = pages.values.flat_map { |page| page.links.map(&:path) }
    expect(pages.keys - linked - %w[README.md]).to be_empty
  end

  it "begins with a page of a hundred lines at most" do
    expect(pages.fetch("README.md").text.lines.size).to be <= 100
  end

  it "finds what is missing" do
    page = Document.new("docs/glossary.md")
    text = "# One `two`, three?\n\n[a](b.md#c)\n```sh\n[x](y)\n```\n## One two three\n`[n](m)`\n"
    page.instance_variable_set(:@text, text)
    expect(page.links.map(&:to_s)).to eq(["docs/b.md#c"])
    expect(page.anchors).to eq(%w[one-two-three one-two-three-1])
  end
end
