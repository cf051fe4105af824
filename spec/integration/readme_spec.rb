# frozen_string_literal: true

require "bundler"

# Everything in a block of code in the README runs, and says what the README says.
RSpec.describe "The README", :tmpdir do
  include Reader

  page = Document.new("README.md")
  gemfile = page.take("# Gemfile")
  routes = page.take("# config/routes.rb")
  curl = page.take("leaks()")
  example = page.take("# leak.rb")
  report = page.take("1 leak")

  it "has no block that nothing here runs" do
    expect(page.left.map(&:to_s)).to be_empty
  end

  it "names the gem" do
    write("Gemfile", gemfile)
    dependencies = Bundler::Dsl.new.tap { |dsl| dsl.eval_gemfile(File.join(@tmpdir, "Gemfile")) }.dependencies
    expect(dependencies.map(&:name)).to eq(["leak_hunter"])
  end

  it "finds the leak of a Rails application with its routes and with curl" do
    needs_gem("railties")
    needs_gem("puma")
    needs_command("curl")
    write("config/routes.rb", routes)
    write("config.ru", RailsApp.rackup(route: 'get "/articles/:id", to: "articles#show"', controller: <<~'RUBY'))
      class ArticlesController < ActionController::Base
        READ = []

        def show
          READ << "article #{params[:id]} " * 10
          head :no_content
        end
      end
    RUBY
    token = "0123456789abcdef" * 2
    LeakyApp::Server.run("config.ru", dir: @tmpdir, env: { "LEAK_HUNTER_TOKEN" => token }) do |server|
      at = "127.0.0.1:#{server.port}"
      output = shell(curl.gsub("localhost:3000", at), LEAK_HUNTER_TOKEN: token)
      expect(output).to match(/^1\. GROWING  ArticlesController::READ$/).and match(/\+50, \+50$/)
      expect(shell("curl --silent http://#{at}/leaks/dumps")).not_to include("json")
    end
  end

  # What it says of the leak. Sizes, addresses and times differ from run to run, and so do the ends of lines; what is
  # no leak differs by Ruby.
  def words(report)
    report = report.gsub(" \\\n", "\n").gsub("\\\n", "").split("\n\n").first(2).join(" ")
    report.gsub(/\s+/, " ").sub(/ \d+ other holders? do(?:es)? not grow\./, "")
          .sub(/(?<=Certainty: exact\.).*?(?= 1\. )/, "")
          .gsub(/\S+\.json(\.zst)?/, "DUMP").gsub(/0x\h+/, "ADDRESS").gsub(/pid \d+/, "PID")
          .gsub(/[\d.]+ [kM]?B/, "SIZE").gsub(/[\d-]+ [\d:]+ to [\d:]+ UTC/, "TIME")
  end

  it "shows the report of its example as it is printed" do
    write("leak.rb", example)
    expect(words(ruby("leak.rb"))).to eq(words(report))
  end

  it "explains each line of that report" do
    labels = report.scan(/^   ([a-z]+)(?: |$)/).flatten
    expect(labels).to eq(%w[rate path code fix next])
    expect(page.text.scan(/^\| `(\w+)`/).flatten).to eq(["GROWING", *labels])
    expect(page.text).to include("`+1,000, +1,000`")
    expect(report).to include("+1,000, +1,000")
  end

  it "names commands that are there" do
    commands = page.text.scan(%r{`(bin/\w+)`}).flatten
    expect(commands).to eq(%w[bin/demo])
    expect(File).to be_executable(File.join(Document::ROOT, commands.first))
  end
end
