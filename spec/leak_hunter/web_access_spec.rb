# frozen_string_literal: true

require "logger"
require "stringio"
require "timeout"

RSpec.describe LeakHunter::Web, "access", :tmpdir do
  let(:token) { WebEndpoint::TOKEN }
  let(:log) { StringIO.new }
  let(:logger) { Logger.new(log) }

  # The environment may hold a token of whoever runs the specs.
  around do |example|
    before = ENV.to_h
    ENV.delete("LEAK_HUNTER_TOKEN")
    example.run
  ensure
    ENV.replace(before)
  end

  def endpoint(**settings) = described_class.new(dir: @tmpdir, logger:, **settings)

  def status(app, path = "/status", **env) = ask(app, "GET", path, env.transform_keys(&:to_s)).status

  def authorization(value) = { HTTP_AUTHORIZATION: value }

  describe "without a token and authorize" do
    let(:paths) { ["", "/", "/status", "/dumps", "/diff", "/dumps/x", "/dumps/x/download", "/nothing"] }

    it "is 404 by every path and method, and says nothing of itself" do
      app = endpoint
      answers = paths.product(%w[GET HEAD POST PUT DELETE OPTIONS TRACE]).map do |path, method|
        response = ask(app, method, path, WebEndpoint::BEARER)
        [response.status, response.body, response.headers["x-cascade"]]
      end
      expect(answers.uniq).to contain_exactly([404, "Not Found\n", "pass"], [404, "", "pass"])
      expect(Dir.children(@tmpdir)).to be_empty
    end

    it "logs why, once in a process" do
      program = <<~RUBY
        require "logger"
        LeakHunter.configure { |config| config.logger = Logger.new($stdout, formatter: ->(*, text) { text + "\n" }) }
        env = { "REQUEST_METHOD" => "GET", "PATH_INFO" => "/" }
        2.times { LeakHunter::Web.new }
        LeakHunter::Middleware.new(proc {})
        2.times { LeakHunter::Web.call(env) }
      RUBY
      output = run_ruby(program, env: { "RACK_ENV" => "production" })
      expect(output.lines).to contain_exactly(/404.*token.*authorize.*LEAK_HUNTER_TOKEN/)
    end

    it "tells the class's first request where there is no logger" do
      program = '$stderr = $stdout; 2.times { LeakHunter::Web.call({ "REQUEST_METHOD" => "GET", "PATH_INFO" => "/" }) }'
      expect(run_ruby(program).lines).to contain_exactly(/LeakHunter::Web .*404/)
    end
  end

  describe "with a token" do
    it "opens to those who have it" do
      app = endpoint(token:)
      expect(status(app, **authorization("Bearer #{token}"))).to eq(200)
      expect(status(app, **authorization("bearer  #{token} "))).to eq(200)
    end

    it "is 404 to everybody else" do
      app = endpoint(token:)
      wrong = ["Bearer #{token}x", "Bearer #{token.chop}", "Bearer #{token.swapcase}", "Bearer", "Bearer ", "", token,
               "Basic #{token}", "Bearer #{token} #{token}", "Bearer \xFF\xFE".b, "Bearer #{"x" * 70_000}"]
      expect(wrong.map { |value| status(app, **authorization(value)) }.uniq).to eq([404])
      expect(status(app, "/status?token=#{token}")).to eq(404)
      expect(status(app)).to eq(404)
    end

    it "takes it from the configuration and from the environment" do
      app = endpoint
      ENV["LEAK_HUNTER_TOKEN"] = token
      expect(status(app, **authorization("Bearer #{token}"))).to eq(200)
      LeakHunter.configuration.token = token.upcase
      expect(status(app, **authorization("Bearer #{token.upcase}"))).to eq(200)
      expect(status(app, **authorization("Bearer #{token}"))).to eq(404)
    ensure
      LeakHunter.configuration.token = nil
    end

    it "stays closed with token: nil, whatever the environment has" do
      ENV["LEAK_HUNTER_TOKEN"] = token
      expect(status(endpoint(token: nil), **authorization("Bearer #{token}"))).to eq(404)
    end

    it "does not take a weak one" do
      expect { endpoint(token: "secret") }.to raise_error(LeakHunter::UsageError, /32/)
    end

    it "stays closed, and logs why, with a weak one in the environment" do
      ENV["LEAK_HUNTER_TOKEN"] = "secret"
      app = endpoint
      expect(status(app, **authorization("Bearer secret"))).to eq(404)
      expect(log.string).to match(/404.*LEAK_HUNTER_TOKEN .* 32 /)
      expect(log.string).not_to include("secret")
    end
  end

  describe "with authorize" do
    let(:app) { endpoint(authorize: ->(env) { env["HTTP_X_USER"] == "admin" }) }

    it "opens to those of whom it says so" do
      expect(status(app, HTTP_X_USER: "admin")).to eq(200)
      expect(status(app, HTTP_X_USER: "guest")).to eq(404)
      expect(status(app)).to eq(404)
    end

    it "refuses when it raises" do
      errors = [RuntimeError, NotImplementedError, KeyError, SecurityError, NoMemoryError, LoadError, SystemStackError]
      app = endpoint(authorize: ->(_env) { raise errors.first, "no user" })
      until errors.empty?
        expect(status(app)).to eq(404)
        expect(log.string).to include("authorize raised #{errors.shift}")
      end
    end

    it "refuses when it never returns from itself, or throws what nobody catches" do
      endless = ->(env) { endless.call(env) }
      expect(status(endpoint(authorize: endless))).to eq(404)
      expect(log.string).to include("SystemStackError")
      expect(status(endpoint(authorize: ->(_env) { throw :nobody }))).to eq(404)
    end

    it "refuses, whatever the application has made of its exceptions" do
      error = Class.new(StandardError) do
        %i[name to_s inspect].each { |method| define_singleton_method(method) { raise "no" } }
        %i[class message to_s inspect full_message].each { |method| define_method(method) { raise "no" } }
      end
      expect(status(endpoint(authorize: ->(_env) { raise error }))).to eq(404)
    end

    it "refuses also where the logger is broken" do
      logger = Object.new
      def logger.warn(*) = raise("disk full")
      def logger.info(*) = raise("disk full")
      expect(status(described_class.new(dir: @tmpdir, logger:, authorize: ->(_env) { raise "no user" }))).to eq(404)
    end

    it "lets pass what is meant for others: timeouts, signals, an exit, Warden's throw" do
      [Interrupt, SignalException.new("TERM"), SystemExit, Class.new(Exception)].each do |error| # rubocop:disable Lint/InheritException
        app = endpoint(authorize: ->(_env) { raise error })
        expect { app.call({ "REQUEST_METHOD" => "GET", "PATH_INFO" => "/" }) }
          .to raise_error(error.is_a?(Class) ? error : error.class)
      end
      app = endpoint(authorize: ->(_env) { throw :warden, :login })
      expect(catch(:warden) { app.call({ "REQUEST_METHOD" => "GET", "PATH_INFO" => "/" }) }).to eq(:login)
      expect(status(endpoint)).to eq(404) # what has to be loaded is, before a timeout comes
      slow = endpoint(authorize: ->(_env) { sleep })
      expect { Timeout.timeout(0.05) { status(slow) } }.to raise_error(Timeout::Error)
    end

    it "is asked only where the token does not open" do
      app = endpoint(token:, authorize: ->(env) { env["HTTP_X_USER"] == "admin" || raise("asked") })
      expect(status(app, **authorization("Bearer #{token}"))).to eq(200)
      expect(status(app, HTTP_X_USER: "admin")).to eq(200)
      expect(status(app, HTTP_X_USER: "admin", **authorization("Bearer of a session"))).to eq(200)
      expect(status(app)).to eq(404)
    end

    it "may be set after mounting, for the class too" do
      LeakHunter.configuration.logger = logger
      described_class.call({ "REQUEST_METHOD" => "GET", "PATH_INFO" => "/" })
      LeakHunter.configure { |config| config.authorize { |env| env["HTTP_X_USER"] == "root" } }
      expect(status(described_class, HTTP_X_USER: "root")).to eq(200)
    ensure
      LeakHunter.configuration.authorize = nil
      LeakHunter.configuration.logger = nil
    end
  end

  describe "a request that a page of another site may have sent" do
    let(:app) { endpoint(authorize: ->(_env) { true }) }
    let(:id) { write_dump(@tmpdir, 1) }

    def delete(**env) = ask(app, "DELETE", "/dumps/#{id}", env.transform_keys(&:to_s))

    def self.refuses(env)
      it "is refused with #{env.empty? ? "nothing to tell" : env}" do
        response = delete(**env)
        expect(response.status).to eq(403)
        expect(response.body).to include("origin: http://example.org")
        expect(Dir.children(@tmpdir)).to contain_exactly("#{id}.json")
      end
    end

    def self.accepts(env)
      it "is accepted with #{env}" do
        expect(delete(**env).status).to eq(204)
        expect(Dir.children(@tmpdir)).to be_empty
      end
    end

    refuses({})
    refuses({ HTTP_SEC_FETCH_SITE: "cross-site" })
    refuses({ HTTP_SEC_FETCH_SITE: "same-site" })
    refuses({ HTTP_SEC_FETCH_SITE: "none" })
    refuses({ HTTP_SEC_FETCH_SITE: "" })
    refuses({ HTTP_SEC_FETCH_SITE: "cross-site", HTTP_ORIGIN: "http://example.org" })
    refuses({ HTTP_ORIGIN: "null" })
    refuses({ HTTP_ORIGIN: "https://example.org" })
    refuses({ HTTP_ORIGIN: "http://example.org:8080" })
    refuses({ HTTP_ORIGIN: "http://example.org.evil.test" })
    refuses({ HTTP_ORIGIN: "http://evil.test" })
    refuses({ HTTP_ORIGIN: "http://evil.test", HTTP_X_FORWARDED_HOST: "evil.test" })
    refuses({ HTTP_REFERER: "http://example.org/leaks" })

    accepts({ HTTP_SEC_FETCH_SITE: "same-origin" })
    accepts({ HTTP_SEC_FETCH_SITE: "same-origin", HTTP_ORIGIN: "https://behind-a-proxy.test" })
    accepts({ HTTP_ORIGIN: "http://example.org" })
    accepts({ HTTP_ORIGIN: "http://shop.test:8080", HTTP_HOST: "shop.test:8080" })
    accepts({ HTTP_ORIGIN: "http://shop.test", HTTP_HOST: "Shop.test:80" })
    accepts({ HTTP_ORIGIN: "https://shop.test", HTTP_HOST: "shop.test:443", HTTPS: "on", "rack.url_scheme": "https" })

    it "covers every method but GET and HEAD" do
      statuses = %w[GET HEAD POST PUT PATCH OPTIONS].to_h { |method| [method, ask(app, method, "/status").status] }
      expect(statuses).to eq("GET" => 200, "HEAD" => 200, "POST" => 403, "PUT" => 403, "PATCH" => 403, "OPTIONS" => 403)
    end

    it "is not one with the token, which no browser adds by itself" do
      app = endpoint(token:, authorize: ->(_env) { true })
      expect(ask_with_token(app, "DELETE", "/dumps/#{id}", "HTTP_SEC_FETCH_SITE" => "cross-site").status).to eq(204)
    end
  end
end
