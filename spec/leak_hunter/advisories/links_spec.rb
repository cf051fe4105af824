# frozen_string_literal: true

require "leak_hunter/advisories"

RSpec.describe LeakHunter::Advisories::Links do
  def links(homepage, **metadata)
    described_class.of(Gem::Specification.new("shop", "1.0") do |spec|
      spec.homepage = homepage
      spec.metadata = metadata.transform_keys(&:to_s)
    end)
  end

  it "takes what the gem says" do
    expect(links("https://shop.example", bug_tracker_uri: "https://bugs.shop.example",
                                         changelog_uri: "https://shop.example/changes"))
      .to eq(tracker: "https://bugs.shop.example", changelog: "https://shop.example/changes")
  end

  it "derives the tracker from a home at GitHub or GitLab, and a search in it" do
    github = { tracker: "https://github.com/shop/cart/issues",
               search: "https://github.com/shop/cart/issues?q=is%3Aissue+memory+leak" }
    expect(links("https://github.com/shop/cart")).to eq github
    expect(links("http://www.github.com/shop/cart.git#readme")).to eq github
    expect(links(nil, source_code_uri: "https://github.com/shop/cart/tree/v1.0")).to eq github
    expect(links("https://shop.example", bug_tracker_uri: "https://github.com/shop/cart/issues")).to eq github
    expect(links("https://gitlab.com/shop/cart"))
      .to eq(tracker: "https://gitlab.com/shop/cart/issues", search: "https://gitlab.com/shop/cart/issues/?search=memory+leak")
  end

  it "says nothing where nothing is known, or what is no address" do
    expect(links("https://shop.example")).to eq({})
    expect(links("shop", bug_tracker_uri: "javascript:alert(1)", changelog_uri: "CHANGELOG.md")).to eq({})
    expect(described_class.call("no-such-gem")).to eq({})
    expect(described_class.call("rspec-core", Gem::Version.new("0.1"))[:tracker]).to start_with "https://github.com/rspec/"
  end
end
