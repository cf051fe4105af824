# frozen_string_literal: true

require "rack"
require "rack/lint"

# Rack::Lint checks what it hands in and what comes out; here on every route, for everybody.
RSpec.describe "LeakHunter::Web under Rack::Lint", :tmpdir do
  let(:ids) { Array.new(3) { |index| write_dump(@tmpdir, index + 1, padding: 50_000) } }
  let(:paths) do
    ["", "/", "/status", "/dumps", "/dumps/#{ids[0]}", "/dumps/none", "/dumps/#{ids[0]}/download", "/diff",
     "/diff?top=x", "/diff?first=#{ids[0]}", "/nothing", "/status?x=1"]
  end
  let(:application) do
    ->(env) { [200, { "content-type" => "text/plain" }, env["REQUEST_METHOD"] == "HEAD" ? [] : ["the application"]] }
  end
  let(:settings) do
    admin = ->(env) { env["HTTP_X_USER"] == "admin" }
    { dir: @tmpdir, token: WebEndpoint::TOKEN, allow_download: true, authorize: admin }
  end
  let(:visitors) { [{}, { "HTTP_X_USER" => "admin" }, WebEndpoint::BEARER] }

  def visit(app, mount = "")
    methods = %w[GET HEAD PUT PATCH OPTIONS POST DELETE]
    methods.product(paths, visitors, [{}, WebEndpoint::JSON_WANTED]).map do |method, path, visitor, accept|
      next if method == "POST" && path == "/dumps" && visitor.any? # that is below

      ask(app, method, "#{mount}#{path}", visitor.merge(accept)).status
    end
  end

  it "is clean as an instance, in a map and as middleware" do
    endpoint = LeakHunter::Web.new(**settings)
    map = Rack::Builder.new do
      map("/leaks") do
        use Rack::Lint
        run endpoint
      end
    end
    middleware = LeakHunter::Middleware.new(Rack::Lint.new(application), path: "/leaks", **settings)
    expected = [200, 204, 400, 403, 404, 405]
    expect(visit(endpoint).compact.uniq).to match_array(expected)
    ids.each_with_index { |_, index| write_dump(@tmpdir, index + 1) }
    expect(visit(map.to_app, "/leaks").compact.uniq).to match_array(expected)
    ids.each_with_index { |_, index| write_dump(@tmpdir, index + 1) }
    expect(visit(middleware, "/leaks").compact.uniq).to match_array(expected)
  end

  it "is clean when it takes dumps and cannot" do
    endpoint = LeakHunter::Web.new(**settings)
    form = { "CONTENT_TYPE" => WebServer::FORM }
    bodies = ["fork=1", "fork=2", "x" * 10_000, ""]
    answers = bodies.map { |body| ask_with_token(endpoint, "POST", "/dumps", { input: body, **form }).status }
    expect(answers).to eq([201, 400, 413, 201])
  end

  it "is clean as a class, which the configuration opens" do
    LeakHunter.configure do |config|
      config.dir = @tmpdir
      config.authorize { |env| env["HTTP_X_USER"] == "admin" }
    end
    visitors.pop
    expect(visit(LeakHunter::Web).compact.uniq).to match_array([200, 400, 403, 404])
  ensure
    LeakHunter.configuration.dir = LeakHunter.configuration.authorize = nil
  end
end
