# frozen_string_literal: true

# Contexts that servers, jobs and test suites set by themselves.
RSpec.describe "Contexts", :tmpdir do
  def write(name, text)
    path = File.join(@tmpdir, name)
    FileUtils.mkdir_p(File.dirname(path))
    File.write(path, text)
    path
  end

  def run(*command, **env)
    output, status = Open3.capture2e({ "RUBYLIB" => RubyProcess::LIB, **env.transform_keys(&:to_s) }, *command,
                                     chdir: @tmpdir)
    raise output unless status.success?

    output
  end

  def ruby(code) = run(RbConfig.ruby, write("main.rb", code))

  it "are a request's method with Rack alone, or what the application calls it" do
    needs_gem("rack")
    output = ruby(<<~'RUBY')
      require "leak_hunter/context/rack"
      require "rack"
      app = ->(env) { [200, {}, [LeakHunter::Context.current]] }
      plain = LeakHunter::Context::Rack.new(app)
      named = LeakHunter::Context::Rack.new(app, name: ->(env) { env["PATH_INFO"] == "/orders" ? "POST /orders" : nil })
      raising = LeakHunter::Context::Rack.new(->(env) { raise IOError })
      puts Rack::MockRequest.new(plain).get("/orders/17?token=secret").body
      puts Rack::MockRequest.new(plain).request("BREW", "/secret").body
      puts Rack::MockRequest.new(named).post("/orders").body, Rack::MockRequest.new(named).get("/").body
      begin
        Rack::MockRequest.new(raising).get("/")
      rescue IOError
        p LeakHunter::Context.current
      end
      begin
        LeakHunter::Context::Rack.new(app, name: 1)
      rescue LeakHunter::UsageError => e
        puts e.message
      end
    RUBY
    expect(output.lines(chomp: true)).to eq(
      ["GET", "request", "POST /orders", "GET", "nil", "name: expected something with a call method, got 1"]
    )
  end

  it "are controller and action with Rails, and the class of a job" do
    %w[railties activejob].each { |name| needs_gem(name) }
    output = ruby(<<~'RUBY')
      require "logger"
      require "rails"
      require "action_controller/railtie"
      require "active_job/railtie"
      require "leak_hunter/context/rails"

      class Shop < Rails::Application
        config.root = Dir.pwd
        config.eager_load = false
        config.secret_key_base = "x" * 32
        config.hosts.clear
        config.logger = Logger.new("rails.log")
        config.active_job.queue_adapter = :inline
        routes.append { resources :orders, only: %i[show create] }
      end

      class ReportJob < ActiveJob::Base
        def perform(seen) = seen << LeakHunter::Context.current
      end

      class OrdersController < ActionController::API
        def show = render(json: LeakHunter::Context.current)

        def create
          ReportJob.new(seen = []).perform_now
          render(json: [seen, LeakHunter::Context.current].join(" "))
        end
      end

      Shop.initialize!
      request = Rack::MockRequest.new(Shop)
      puts request.get("/orders/4711").body, request.get("/orders/secret").body
      puts request.post("/orders").body
      p request.get("/nothing/secret").status, LeakHunter::Context.current
    RUBY
    expect(output.lines(chomp: true).last(5)).to eq(
      ["OrdersController#show", "OrdersController#show", "ReportJob OrdersController#create", "404", "nil"]
    )
  end

  it "are the place of an example with RSpec" do
    write("some_spec.rb", <<~RUBY)
      require "leak_hunter/context/rspec"
      RSpec.describe "orders" do
        before { @before = LeakHunter::Context.current }

        it("is created") { puts "", @before, LeakHunter::Context.current }

        it("fails") { raise "x" }

        after(:all) { puts "", "after: \#{LeakHunter::Context.current.inspect}" }
      end
    RUBY
    output, = Open3.capture2e({ "RUBYLIB" => RubyProcess::LIB }, RbConfig.ruby, "-S", "rspec", "./some_spec.rb",
                              chdir: @tmpdir)
    expect(output.lines(chomp: true)).to include("./some_spec.rb:5", "after: nil", /2 examples, 1 failure/)
    expect(output.lines(chomp: true).count("./some_spec.rb:5")).to eq(2)
  end

  it "are the name of a test with Minitest" do
    needs_gem("minitest")
    output = ruby(<<~RUBY)
      require "minitest/autorun"
      require "leak_hunter/context/minitest"
      class OrdersTest < Minitest::Test
        def setup = @before = LeakHunter::Context.current

        def test_create
          puts "", @before, LeakHunter::Context.current
          assert true
        end
      end
      Minitest.after_run { p LeakHunter::Context.current }
    RUBY
    expect(output.lines(chomp: true)).to include("nil", /1 runs, 1 assertions, 0 failures/)
    expect(output.lines(chomp: true).count("OrdersTest#test_create")).to eq(2)
  end

  describe "with Sidekiq" do
    before do
      needs_gem("sidekiq")
      needs_command("redis-server")
    end

    it "are the class of a job" do
      write("app.rb", <<~RUBY)
        require "sidekiq"
        require "leak_hunter/context/sidekiq"
        Sidekiq.configure_server do |config|
          config.server_middleware { |chain| chain.add LeakHunter::Context::Sidekiq }
        end

        class ReportJob
          include Sidekiq::Worker

          def perform(number)
            File.write("seen", LeakHunter::Context.current + "\\n", mode: "a")
            raise "x" if number == 3
          end
        end
      RUBY
      socket = File.join(@tmpdir, "redis.sock")
      env = { "REDIS_URL" => "unix://#{socket}", "RUBYLIB" => RubyProcess::LIB }
      spawn_in = ->(*command) { Process.spawn(env, *command, chdir: @tmpdir, out: File::NULL, err: File::NULL) }
      pids = [spawn_in.call("redis-server", "--port", "0", "--unixsocket", socket, "--save", "")]
      until_true { File.socket?(socket) }
      pids << spawn_in.call("sidekiq", "-r", "./app.rb", "-c", "2")
      run(RbConfig.ruby, "-r", "./app.rb", "-e", "5.times { |n| ReportJob.perform_async(n) }",
          REDIS_URL: env["REDIS_URL"])
      seen = File.join(@tmpdir, "seen")
      until_true { File.exist?(seen) && File.readlines(seen).size >= 5 }
      expect(File.readlines(seen, chomp: true).uniq).to eq(["ReportJob"])
    ensure
      pids.to_a.reverse_each { |pid| Process.kill(:TERM, pid) && Process.wait(pid) }
    end

    def until_true
      deadline = Process.clock_gettime(Process::CLOCK_MONOTONIC) + 600
      until yield
        raise "it takes too long" if Process.clock_gettime(Process::CLOCK_MONOTONIC) > deadline

        sleep 0.05
      end
    end

    def needs_command(name)
      ENV["PATH"].split(":").any? { |dir| File.executable?(File.join(dir, name)) } or skip "#{name} is not installed"
    end
  end
end
