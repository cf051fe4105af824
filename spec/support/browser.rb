# frozen_string_literal: true

require "json"
require "net/http"
require "tmpdir"

# A headless Chromium, driven by WebDriver's plain HTTP: https://www.w3.org/TR/webdriver/
class Browser
  ARGUMENTS = %w[headless no-sandbox disable-gpu disable-dev-shm-usage disable-background-networking
                 no-first-run].freeze
  KEYS = { enter: "\uE007", escape: "\uE00C", home: "\uE011", left: "\uE012", up: "\uE013", right: "\uE014",
           down: "\uE015", backspace: "\uE003" }.freeze

  class << self
    # @return [Boolean] whether there is one to start
    def there? = [%w[chromedriver], %w[chromium chromium-browser google-chrome]].all? { |names| find(names) }

    def find(names)
      names.product(ENV.fetch("PATH").split(File::PATH_SEPARATOR)).map { |name, dir| File.join(dir, name) }
           .find { |path| File.executable?(path) && File.file?(path) }
    end

    # @yieldparam browser [Browser]
    def open
      Dir.mktmpdir("leak_hunter-browser") do |dir|
        browser = new(dir)
        begin
          yield browser
        ensure
          browser.quit
        end
      end
    end
  end

  def initialize(dir)
    @output = IO.popen([self.class.find(%w[chromedriver]), "--port=0"], err: %i[child out])
    port = @output.each_line { |line| break line[/successfully on port (\d+)/, 1] || next }
    @http = Net::HTTP.new("127.0.0.1", Integer(port), nil).tap { |http| http.read_timeout = 600 }
    @session = "/session/#{post("/session", capabilities: { alwaysMatch: capabilities(dir) }).fetch("sessionId")}"
  rescue StandardError
    quit
    raise
  end

  def visit(url)
    logs
    post("#{@session}/url", url:)
  end

  # Tells the page what a user likes, and how large the window is.
  def look(width:, height:, scheme: "light")
    devtools("Emulation.setDeviceMetricsOverride", width:, height:, deviceScaleFactor: 1, mobile: false)
    devtools("Emulation.setEmulatedMedia", features: [{ name: "prefers-color-scheme", value: scheme }])
  end

  # @return [String] what the page looks like, a PNG
  def screenshot = request(Net::HTTP::Get.new("#{@session}/screenshot")).unpack1("m")

  # @return [String] what is printed, a PDF
  def pdf = post("#{@session}/print", background: false).unpack1("m")

  # What a function of JavaScript with this body returns.
  def run(script, *args) = post("#{@session}/execute/sync", script:, args:)

  # Presses keys, one after the other: Strings are typed.
  def press(*keys)
    keys = keys.flat_map { |key| key.is_a?(Symbol) ? KEYS.fetch(key) : key.chars }
    actions = keys.flat_map { |key| [{ type: "keyDown", value: key }, { type: "keyUp", value: key }] }
    post("#{@session}/actions", actions: [{ type: "key", id: "keys", actions: }])
  end

  # @return [Array<String>] the URLs of everything that was asked for since the last visit began, but for what
  #   Chromium's own first page is made of, which may still be loading then
  def requests
    logs.filter_map do |entry|
      message = JSON.parse(entry.fetch("message")).fetch("message")
      next if message["method"] != "Network.requestWillBeSent"

      message.dig("params", "request", "url") unless message.dig("params", "documentURL").start_with?("chrome")
    end
  end

  # @return [Array<String>] errors and warnings of the page
  def complaints = post("#{@session}/se/log", type: "browser").map { |entry| entry.fetch("message") }

  def quit
    request(Net::HTTP::Delete.new(@session)) if @session
  ensure
    Process.kill(:TERM, @output.pid)
    @output.close
  end

  private

  def capabilities(dir)
    { "browserName" => "chrome", "goog:loggingPrefs" => { performance: "ALL", browser: "ALL" },
      "goog:chromeOptions" => { binary: self.class.find(%w[chromium chromium-browser google-chrome]),
                                args: [*ARGUMENTS, "user-data-dir=#{dir}"] } }
  end

  def logs = post("#{@session}/se/log", type: "performance")

  def devtools(cmd, **params) = post("#{@session}/goog/cdp/execute", cmd:, params:)

  def post(path, **body)
    request(Net::HTTP::Post.new(path, "content-type" => "application/json").tap { |post| post.body = body.to_json })
  end

  def request(request)
    value = JSON.parse(@http.request(request).body).fetch("value")
    raise value["message"] if value.is_a?(Hash) && value.key?("error")

    value
  end
end
