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
      result = SampleReport.with_holders(*holders)
      report = LeakHunter::Report.new({ **result, flame: self.class.flame(hostile) })
      @url = "file://#{dir}/report.html"
      File.write("#{dir}/report.html", report.to_html)
      Browser.open do |browser|
        @browser = browser
        example.run
      end
    end
  end

  # Of each view a frame with a path or a hostile name, and one too small to be drawn.
  def self.flame(hostile)
    %w[retained paths sites].map do |name|
      labels = ["all that leaked", "/srv/#{"folder/" * 60}session.rb", hostile, "@token String", "Tiny#{name}"]
      { name:, title: name.capitalize, labels:, label: [0, 1, 2, 3, 4], parent: [0, 0, 1, 2, 0],
        count: [0, 10, 20, 30, 1], bytes: [0, 100_000, 200_000, 300_000, 1] }
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
    expect(page("document.images.length")).to eq(0)
    expect(page("document.scripts.length")).to eq(2) # the frames and what draws them
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

  def open_graph = browser.run("document.querySelector('details.flame').open = true")

  def frames = page("[...document.querySelectorAll('.frame')].map((frame) => frame.textContent)")

  # The graph is drawn when it is opened, by an observer of its size.
  def drawn
    6_000.times { frames.size > 1 ? break : sleep(0.02) }
    frames
  end

  [1000, 390].each do |width|
    it "draws the flame graph when it is opened, #{width} pixels wide: edges by name, paths by their end" do
      browser.look(width:, height: 800)
      browser.visit(@url)
      open_graph
      expect(drawn).to include("all that leaked", end_with("/session.rb"), "@token String")
      expect(frames.grep(/session\.rb/)).to match([start_with("…/folder/")])
      expect(page("document.documentElement.scrollWidth")).to be <= width
      expect(page("document.getElementById('title').textContent"))
        .to eq("Leaked memory by what retains it: allocated between 1.json and 2.json, alive in 3.json")
      expect(page("document.title")).to start_with("LeakHunter: 2 leaks")
      expect(browser.complaints).to be_empty
    end
  end

  it "finds in every view, also what is too small to be drawn" do
    browser.look(width: 1000, height: 800)
    browser.visit(@url)
    browser.press("/", "tinysites")
    expect(page("document.querySelector('details.flame').open")).to be(true)
    drawn
    views = "[...document.getElementById('views').children].map((view) => view.textContent)"
    expect(page(views)).to eq(["Retained (0)", "Paths (0)", "Sites (1)"])
    browser.run("document.querySelector('[data-view=sites]').click()")
    browser.run("document.getElementById('search').focus()")
    browser.press(:enter)
    expect(page("document.querySelector('#details b').textContent")).to eq("Tinysites")
    expect(frames).to include("Tinysites")
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
