# frozen_string_literal: true

# The page in a real browser.
RSpec.describe "The flame graph" do
  # Names that a page must not take for anything but text.
  hostile = <<~'RUBY'
    require "leak_hunter"
    LeakHunter.trace!
    module Shop
      KEPT = []
    end
    class Visit
      def initialize(path) = @path = path
    end
    # the class of an anonymous class is called by its file
    script = "</script><img src=x onerror=\"document.title='broken'\"><b>{{data}}.rb"
    eval("Shop.const_set(:EVIL, Array.new(2_000) { Class.new.new })", TOPLEVEL_BINDING.dup, script, 1)
    5_000.times { |number| Shop::KEPT << Visit.new("/articles/#{number}") }
    LeakHunter.dump!(ARGV.fetch(0))
  RUBY

  before(:context) do
    next unless Browser.there?

    @dir = Dir.mktmpdir("leak_hunter-flame")
    program = File.join(@dir, "program.rb")
    File.write(program, hostile)
    dump = File.join(@dir, "dump.json")
    system(RbConfig.ruby, "-I", RealDumps::LIB, program, dump, exception: true)
    LeakHunter::Heap.load(dump).flame(File.join(@dir, "leak.html"))
  end

  after(:context) { FileUtils.remove_entry(@dir) if @dir }

  around do |example|
    Browser.there? or skip("there is no chromium with its chromedriver here")
    Browser.open do |browser|
      @browser = browser
      browser.look(width: 1200, height: 800)
      browser.visit("file://#{@dir}/leak.html")
      example.run
    end
  end

  attr_reader :browser

  def page(expression) = browser.run("return #{expression}")

  def focused = page("document.activeElement.getAttribute('aria-label')")

  def frames = page("[...document.querySelectorAll('.frame')].map((frame) => frame.title.split('\\n')[0])")

  def focus_graph = browser.run("document.querySelector('.frame[tabindex=\"0\"]').focus()")

  def details = page("document.getElementById('details').textContent")

  it "asks for nothing but itself, and complains of nothing" do
    browser.press("/", "visit", :enter, :escape, :enter, :escape)
    expect(browser.requests.reject { |url| url.start_with?("data:") }).to eq(["file://#{@dir}/leak.html"])
    expect(browser.complaints).to be_empty
  end

  it "shows who retains the heap, as a tree" do
    expect(frames).to include("heap", "module Shop", "Shop::KEPT (Array)")
    expect(page("document.getElementById('summary').textContent")).to match(/\A[\d,]+ objects, [\d.]+ MB\z/)
    expect(page("document.querySelector('[role=tree] [role=treeitem]').getAttribute('aria-label')"))
      .to match(/\Aheap, [\d.]+ MB, 100\.0 %, [\d,]+ objects\z/)
  end

  it "takes hostile names for text" do
    browser.run("document.querySelector('[data-view=sites]').click()")
    expect(page("document.title")).to eq("All memory by allocation site: dump.json")
    expect(page("document.querySelectorAll('img, main b, script').length")).to eq(2) # the data and the script
    expect(frames.grep(/onerror/)).not_to be_empty
  end

  it "zooms by keyboard, and moves in all directions" do
    focus_graph
    browser.press(:down)
    first = focused
    browser.press(:right)
    expect(focused).not_to eq(first)
    browser.press(:left)
    expect(focused).to eq(first)
    browser.press(:enter)
    expect([focused, frames.first(2)]).to eq([first, ["heap", first.split(", ").first]])
    browser.press(:down, :up)
    expect(focused).to eq(first)
    browser.press(:enter, :escape)
    expect(focused).to start_with("heap, ")
    browser.press(:down, :enter, :backspace)
    expect(focused).to start_with("heap, ")
    browser.press(:down, :down, :enter, :home)
    expect(focused).to start_with("heap, ")
  end

  it "zooms by click, and says what a frame is" do
    browser.run("[...document.querySelectorAll('.frame')].find((it) => it.title.startsWith('Shop::KEPT')).click()")
    expect(frames.drop_while { |name| name != "module Shop" })
      .to start_with("module Shop", "Shop::KEPT (Array)", "Visit", "String")
    expect(details).to match(/\AShop::KEPT \(Array\).*% of all\).*objects/)
    browser.run("document.getElementById('out').click()")
    expect(focused).to start_with("module Shop, ")
  end

  it "finds names, marks them and says how much they are" do
    browser.press("/", "VISIT")
    expect(page("document.activeElement.id")).to eq("search")
    expect(page("[...document.querySelectorAll('.match')].map((it) => it.title.split('\\n')[0])"))
      .to all(match(/visit/i)).and include("Visit")
    expect(page("document.getElementById('found').textContent")).to match(/\A\d+ frames?, 4\d\d kB, \d+\.\d %\z/)
    browser.press(:enter, :escape)
    expect(focused).to start_with("Visit, ")
    expect(page("document.querySelectorAll('.match').length")).to eq(0)
    browser.press("/", "no such name")
    expect(page("document.getElementById('found').textContent")).to eq("nothing found")
  end

  it "changes the view and the unit" do
    browser.run("document.querySelector('[data-view=sites]').click()")
    expect(frames).to include("app", "#{@dir}/program.rb")
    expect(page("document.querySelector('[aria-pressed=true]').textContent")).to eq("Allocation site")
    frame = "[...document.querySelectorAll('.frame')].find((it) => it.title.startsWith('app\\n'))"
    width = -> { page("#{frame}.style.width") }
    by_bytes = width.call
    browser.run("document.querySelector('[data-unit=count]').click()")
    expect(width.call).not_to eq(by_bytes)
  end

  [360, 1600].product(%w[light dark]).each do |width, scheme|
    it "fits into #{width} pixels, #{scheme}" do
      browser.look(width:, height: 740, scheme:)
      browser.visit("file://#{@dir}/leak.html")
      expect(page("document.documentElement.scrollWidth <= #{width}")).to be(true)
      colors = page("[getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor]")
      text, ground = colors.map { |color| color.scan(/\d+/).first(3).sum(&:to_i) }
      expect(text > ground).to eq(scheme == "dark")
    end
  end
end
