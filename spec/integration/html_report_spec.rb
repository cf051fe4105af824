# frozen_string_literal: true

# The HTML report in a real browser.
RSpec.describe "The HTML report" do
  hostile = "</script><img src=x onerror=\"document.title='broken'\">\u202E"

  around do |example|
    Browser.there? or skip("there is no chromium with its chromedriver here")
    Dir.mktmpdir("leak_hunter-report") do |dir|
      path = SampleReport.holder_path.map { |step| step.merge(class: "#{"Deep::" * 12}#{hostile}") }
      holders = [SampleReport.holder, SampleReport.holder(name: hostile, path:, memsize: 400_000),
                 SampleReport.holder(verdict: "once", name: "Warm#{"x" * 200}")]
      report = LeakHunter::Report.new(SampleReport.with_holders(*holders))
      @url = "file://#{dir}/report.html"
      File.write("#{dir}/report.html", report.to_html)
      Browser.open do |browser|
        @browser = browser
        example.run
      end
    end
  end

  attr_reader :browser

  def page(expression) = browser.run("return #{expression}")

  it "asks for nothing but itself, complains of nothing, and takes names for text" do
    browser.look(width: 1000, height: 800)
    browser.visit(@url)
    expect(browser.requests.reject { |url| url.start_with?("data:") }).to eq([@url])
    expect(browser.complaints).to be_empty
    expect(page("document.title")).to start_with("LeakHunter: 2 leaks")
    expect(page("document.images.length + document.scripts.length")).to eq(0)
  end

  [1000, 390, 320].product(%w[light dark]).each do |width, scheme|
    it "fits a window of #{width} pixels, #{scheme}" do
      browser.look(width:, height: 800, scheme:)
      browser.visit(@url)
      expect(page("document.documentElement.scrollWidth")).to be <= width
      # the style is in force
      colors = %w[color backgroundColor].map { |name| page("getComputedStyle(document.body).#{name}") }
      expect(colors).to eq(["rgb(28, 29, 33)", "rgb(255, 255, 255)"]) if scheme == "light"
      expect(colors).to eq(["rgb(236, 238, 242)", "rgb(22, 23, 27)"]) if scheme == "dark"
    end
  end

  it "opens leaks, keeps the rest closed, and is used by keyboard" do
    browser.look(width: 1000, height: 800)
    browser.visit(@url)
    open = "[...document.querySelectorAll('details')].map((part) => part.open)"
    before = page(open)
    expect(before.first(2)).to eq([true, true])
    expect(before.drop(2)).to all(be(false))
    browser.run("document.querySelector('details summary').focus()")
    browser.press(:enter)
    expect(page(open).first).to be(false)
  end
end
