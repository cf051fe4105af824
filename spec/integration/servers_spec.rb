# frozen_string_literal: true

require "json"

# Everything in a block of code in docs/servers.md runs, on a real Puma, Rails and Sidekiq.
RSpec.describe "docs/servers.md", :tmpdir do
  include Reader

  page = Document.new("docs/servers.md")
  rackup = page.take("# config.ru")
  curl = page.take("leaks()")
  routes = page.take("# config/routes.rb")
  settings = page.take("# config/initializers/leak_hunter.rb\nLeakHunter")
  puma = page.take("puma")
  sidekiq = page.take("# config/initializers/leak_hunter.rb\nSidekiq")
  signal = page.take("kill")
  diff = page.take("leak_hunter diff")

  token = "0123456789abcdef" * 2
  # What is behind "require_relative "app"".
  app = <<~'RUBY'
    READ = []
    App = lambda do |env|
      100.times { READ << "You read #{env["PATH_INFO"]} " * 10 }
      [200, { "content-type" => "text/plain" }, ["You read #{env["PATH_INFO"]}\n"]]
    end
  RUBY

  it "has no block that nothing here runs" do
    expect(page.left.map(&:to_s)).to be_empty
  end

  describe "Rack and Puma" do
    before { needs_gem("puma") }

    it "drives the endpoint with curl, and lists its routes" do
      needs_command("curl")
      write("app.rb", app)
      write("config.ru", rackup)
      LeakyApp::Server.run("config.ru", dir: @tmpdir, env: { "LEAK_HUNTER_TOKEN" => token }) do |server|
        at = "127.0.0.1:#{server.port}"
        output = shell(curl.gsub("localhost:9292", at), LEAK_HUNTER_TOKEN: token)
        expect(output.scan("You read /articles").size).to eq(2)
        expect(output).to match(/^1\. GROWING  READ$/)
        expect(shell("curl --silent http://#{at}/leaks/dumps")).to eq("Not Found\n")
        index = shell("leaks() { curl --silent --header 'authorization: Bearer #{token}' \"$@\"; }; leaks http://#{at}/leaks")
        verbs = /(?:GET|POST|DELETE)/
        listed = index.scan(%r{^(#{verbs}) /leaks(/\S+)}).map { |route| route.join(" ") }
        expect(page.text.scan(%r{`(#{verbs} /[\w/]+)`}).flatten.uniq).to match_array(listed)
      end
    end

    it "starts Puma as one process" do
      write("app.rb", app)
      write("config.ru", rackup)
      output, theirs = IO.pipe
      pid = Process.spawn(installed, "exec #{puma.chomp.sub("config.ru", "-b tcp://127.0.0.1:0 config.ru")}",
                          chdir: @tmpdir, out: theirs, err: theirs)
      theirs.close
      log = output.each_line.take_while { |line| !line.include?("Listening on") }.join
      expect(log).to include("Puma starting in single mode")
    ensure
      Process.kill(:TERM, pid)
      Process.wait(pid)
      output.close
    end
  end

  describe "Rails" do
    before { %w[puma railties].each { |name| needs_gem(name) } }

    it "takes the routes and the settings" do
      write("config/routes.rb", routes)
      write("config/initializers/leak_hunter.rb", settings.sub("/var/tmp/shop_dumps", File.join(@tmpdir, "dumps")))
      write("config.ru", RailsApp.rackup(route: 'get "/login", to: "visits#login"', controller: <<~RUBY))
        class VisitsController < ActionController::Base
          def login
            session[:admin] = true
            head :no_content
          end
        end
      RUBY
      LeakyApp::Server.run("config.ru", dir: @tmpdir, env: { "LEAK_HUNTER_TOKEN" => token }) do |server|
        server.connect do |http|
          expect(http.get("/leaks/status").code).to eq("404")
          session = { "cookie" => http.get("/login")["set-cookie"][/\A[^;]+/] }
          expect(http.get("/leaks/status", session).body).to include("limits: 6, 2.1 GB")
          from_here = session.merge("origin" => "http://127.0.0.1:#{server.port}", "content-type" => WebServer::FORM)
          expect(http.post("/leaks/dumps", "", session.merge("content-type" => WebServer::FORM)).code).to eq("403")
          expect(http.post("/leaks/dumps", "", from_here).code).to eq("201")
        end
      end
      expect(Dir.children(File.join(@tmpdir, "dumps")).size).to eq(1)
    end

    it "says what the defaults are" do
      defaults = settings.scan(/config\.(\w+) .*# .*default: (.*)$/).to_h
      own = LeakHunter::Configuration::DEFAULTS
      expect(defaults.keys).to match_array(own.keys.map(&:to_s) - %w[token logger])
      expect(defaults.fetch("max_dumps")).to eq(own.fetch(:max_dumps).to_s)
      expect(defaults.fetch("max_bytes").to_i * (1024**3)).to eq(own.fetch(:max_bytes))
      expect(defaults.fetch("allow_download")).to start_with(own.fetch(:allow_download).to_s)
    end
  end

  describe "Sidekiq" do
    before do
      needs_gem("sidekiq")
      needs_command("redis-server")
    end

    around do |example|
      @pids = []
      example.run
    ensure
      @pids.reverse_each { |pid| Process.kill(:TERM, pid) && Process.wait(pid) }
    end

    # Where it writes to is a file: a pipe would fill.
    define_method(:start) do |*command, **env|
      log = write("#{command.first}.log", "")
      Process.spawn(installed(env), *command, chdir: @tmpdir, out: log, err: log).tap { |pid| @pids << pid }
    end

    define_method(:until_true) do |what, &condition|
      deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 600
      until condition.call
        logs = Dir[File.join(@tmpdir, "*.log")].map { |log| File.read(log).lines.last(20).join }
        raise "#{what}:\n#{logs.join("\n")}" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline

        sleep 0.05
      end
    end

    it "takes a dump at each signal" do
      write("config/initializers/leak_hunter.rb", sidekiq)
      write("app.rb", <<~RUBY)
        require "sidekiq"
        require "leak_hunter"
        require_relative "config/initializers/leak_hunter"

        class ReportJob
          include Sidekiq::Worker
          SEEN = []

          def perform(number)
            SEEN << "report \#{number} " * 10
            File.write("done", ".", mode: "a")
          end
        end
      RUBY
      socket = File.join(@tmpdir, "redis.sock")
      url = { REDIS_URL: "unix://#{socket}" }
      start("redis-server", "--port", "0", "--unixsocket", socket, "--save", "")
      until_true("Redis does not start") { File.socket?(socket) }
      pid = start("sidekiq", "-r", "./app.rb", "-c", "2", **url)

      done = 0
      jobs = lambda do
        # Redis' own gem warns of Sidekiq's calls
        system(installed(url), RbConfig.ruby, "-r", "./app.rb", "-e", "60.times { |n| ReportJob.perform_async(n) }",
               chdir: @tmpdir, err: File::NULL, exception: true)
        done += 60
        until_true("the jobs do not end") { File.size?(File.join(@tmpdir, "done")) == done }
      end
      jobs.call
      3.times do |number|
        shell(signal, SIDEKIQ_PID: pid.to_s)
        until_true("there is no dump") { Dir[File.join(@tmpdir, "tmp/leak_hunter/*.json*")].size == number + 1 }
        jobs.call
      end
      expect(shell(diff)).to match(/^1\. GROWING  ReportJob::SEEN$/).and match(/ \+60, \+60$/)
    end
  end
end
