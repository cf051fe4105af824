# frozen_string_literal: true

require "json"
require "securerandom"
require_relative "../../examples/leaky_app/server"

# What an engineer would do: run the checkup on a Rails application, do what its page says, and run it again.
RSpec.describe "A Rails application and its checkup", :tmpdir do
  before { used.each { |name| needs_gem(name) } }

  def used = %w[puma railties activerecord sqlite3]

  def visits = 240

  let(:example) { File.expand_path("../../examples/leaky_rails", __dir__) }
  let(:project) { File.realpath(@tmpdir) }

  # A copy of the example with a lock file.
  def have_project(fixed: false)
    FileUtils.cp_r(Dir[File.join(example, "{config.ru,lib}")], project)
    FileUtils.cp_r(File.join(example, "fixed/lib"), project) if fixed
    File.write(File.join(project, "Gemfile.lock"), lock_of(used))
  end

  # Three moments of it, over HTTP, with the same work between them.
  def moments(kind, headers = {})
    token = SecureRandom.hex(32)
    LeakyApp::Server.run(File.join(project, "config.ru"), dir: project, env: { "LEAK_HUNTER_TOKEN" => token },
                                                          options: %w[-t 1:1]) do |server|
      server.connect do |http|
        visit(http)
        3.times { |round| take(kind, http, token, headers).then { visit(http) if round < 2 } }
      end
    end
    Dir[File.join(project, "tmp/leak_hunter/*.json*")]
  end

  def visit(http)
    visits.times do |number|
      expect(http.get("/articles/#{(number * 7 % 480) + 1}#{"/watch" if (number % 6).zero?}").code).to eq("200")
    end
  end

  def take(kind, http, token, headers)
    known = { "authorization" => "Bearer #{token}", "content-type" => "application/x-www-form-urlencoded" }
    expect(http.post("/leaks/dumps", "kind=#{kind}", known.merge(headers)).code).to eq("201")
  end

  def checkup(kind = "snapshot") = LeakHunter.checkup(*moments(kind), dir: project)

  it "has its three leaks named, and those that its code explains" do
    have_project
    found = checkup
    growing = found.growth.to_h { |growth| [growth.name, growth.causes.map { |cause| cause[:id] }] }
    expect(growing.size).to eq(3)
    expect(growing).to include("SeededLeaks::AUDIT_TRAIL" => ["LeakHunter/UnboundedCollection"])
    rules = found.findings.select { |finding| finding[:step] == 4 }.map { |finding| finding[:id] }
    expect(rules).to include("LeakHunter/SubscriptionPerCall")
    expect(found.to_s.scan(/^(?:\d\. GROWING|Step \d)/)).to eq(
      ["1. GROWING", "2. GROWING", "3. GROWING", "Step 1", "Step 2", "Step 3", "Step 4", "Step 5"]
    )
    expect(found.verdict).to eq("findings")
  end

  # In snapshots, which the endpoint takes, requests for them are in use: they share the names of their headers.
  %w[snapshot dump].each do |kind|
    it "is clean once they are mended as the page says: #{kind}s" do
      have_project(fixed: true)
      found = checkup(kind)
      expect(found.growth.map(&:name)).to eq([])
      expect(found.findings.reject { |finding| finding[:severity] == "low" }).to eq([])
      expect(found.verdict).to eq("clean")
      expect(found.to_s).to include("No leak found")
    end
  end

  it "is clean, too, when only requests for moments have many headers of their own" do
    have_project(fixed: true)
    headers = (1..40).to_h { |index| ["x-own-header-#{index}", "own value #{index}"] }
    expect(LeakHunter.diff(*moments("snapshot", headers), holders: true)[:verdict][:name]).to eq("no_leak")
  end
end
