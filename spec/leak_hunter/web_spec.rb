# frozen_string_literal: true

RSpec.describe LeakHunter::Web, :tmpdir do
  let(:app) { described_class.new(token: WebEndpoint::TOKEN, dir: @tmpdir) }

  def get(path, env = {}) = ask_with_token(app, "GET", path, env)

  it "loads neither Rack nor OpenSSL" do
    program = <<~RUBY
      env = { "REQUEST_METHOD" => "GET", "PATH_INFO" => "/status", "HTTP_AUTHORIZATION" => "Bearer #{WebEndpoint::TOKEN}" }
      status, = LeakHunter::Web.new(token: "#{WebEndpoint::TOKEN}").call(env)
      puts status, defined?(Rack).inspect, defined?(OpenSSL).inspect
    RUBY
    expect(run_ruby(program)).to eq("200\nnil\nnil\n")
    expect(run_ruby("", options: ["-rleak_hunter/web", "-rleak_hunter/middleware"])).to be_empty
  end

  it "takes no dumps without the extension, which would have every secret, and says what a diff lacks" do
    program = <<~RUBY
      require "tmpdir"
      env = { "HTTP_AUTHORIZATION" => "Bearer #{WebEndpoint::TOKEN}" }
      Dir.mktmpdir do |dir|
        app = LeakHunter::Web.new(token: "#{WebEndpoint::TOKEN}", dir:)
        requests = [*[%w[POST /dumps]] * 3, %w[GET /status], %w[GET /diff]]
        requests.each { |method, path| puts app.call(env.merge("REQUEST_METHOD" => method, "PATH_INFO" => path)).first }
      end
    RUBY
    expect(run_ruby(program, lib: lib_without_extension(@tmpdir))).to eq("501\n501\n501\n200\n409\n")
  end

  # Beside busy threads loading takes long, and what is loaded between two dumps is in the report.
  it "loads all that a hunt needs before the first request" do
    program = <<~RUBY
      require "tmpdir"
      env = { "HTTP_AUTHORIZATION" => "Bearer #{WebEndpoint::TOKEN}" }
      Dir.mktmpdir do |dir|
        app = LeakHunter::Web.new(token: "#{WebEndpoint::TOKEN}", dir:, allow_download: true)
        loaded = $LOADED_FEATURES.dup
        autoloads = ObjectSpace.each_object(Module).flat_map do |mod|
          next [] unless Module.instance_method(:name).bind_call(mod)&.start_with?("LeakHunter")
          Module.instance_method(:constants).bind_call(mod, false).select { |name| mod.autoload?(name, false) }
        end
        requests = [%w[GET /], %w[GET /diff], *[%w[POST /dumps]] * 3, %w[POST /dumps fork=1], %w[GET /dumps],
                    %w[GET /status], %w[GET /nothing], %w[GET /diff], %w[GET /diff holders=false&identity=address]]
        statuses = %w[text/plain application/json].product(requests).map do |accept, (method, path, query)|
          app.call(env.merge("REQUEST_METHOD" => method, "PATH_INFO" => path, "QUERY_STRING" => query.to_s,
                             "HTTP_ACCEPT" => accept)).first
        end
        puts statuses.uniq.sort.inspect, autoloads.sort.inspect, $LOADED_FEATURES - loaded
      end
    RUBY
    # ways in of their own
    left_out = %i[Advisories CLI Checkup Gems LeakDB Lint Middleware Project RakeTask Scan]
    expect(run_ruby(program)).to eq("[200, 201, 404, 409]\n#{left_out.inspect}\n")
  end

  it "rejects settings that the configuration does not know" do
    expect { described_class.new(colour: "red") }.to raise_error(LeakHunter::UsageError, /colour/)
  end

  it "keeps no state of a request" do
    expect(app).to be_frozen
    expect(app.instance_variables.map { |name| app.instance_variable_get(name) }).to all(be_frozen)
  end

  it "lists what there is, at the place where it is mounted" do
    response = get("/", "SCRIPT_NAME" => "/admin/leaks")
    expect(response.status).to eq(200)
    expect(response.body).to match(%r{^POST /admin/leaks/dumps +take a dump}).and match(%r{^GET /admin/leaks/diff})
    expect(response.body.lines.map(&:size).max).to be <= 86
    expect(get("", "SCRIPT_NAME" => "/leaks").body).to include("/leaks/status")
  end

  it "says how the process stands" do
    write_dump(@tmpdir, 1)
    write_dump(@tmpdir, 2, pid: 1)
    GC.disable # which lets many slots go at once
    status = json(get("/status", WebEndpoint::JSON_WANTED))
    live_slots = GC.stat(:heap_live_slots)
    GC.enable
    expect(status).to include(schema: 1, version: LeakHunter::VERSION, pid: Process.pid, ruby: RUBY_VERSION,
                              running: { dump: false, diff: false })
    expect(status[:live_slots]).to be_within(50_000).of(live_slots)
    expect(status[:tracing])
      .to eq(on: LeakHunter.tracing?, since: LeakHunter::Tracing.since&.fetch(:generation), mode: nil)
    expect(status[:dumps]).to include(count: 2, of_this_process: 1, max_dumps: 10, allow_download: false,
                                      bytes: Dir.glob(File.join(@tmpdir, "*.json")).sum { |path| File.size(path) })
    expect(get("/status").body).to match(/^dumps +2 .*1 of this process; limits: 10, 5.4 GB$/)
      .and match(/^running +nothing$/)
  end

  it "tells in text or JSON what is wrong" do
    expect(get("/nothing")).to have_attributes(status: 404, body: %r{GET / [^\n]+\n\z})
    response = get("/nothing", WebEndpoint::JSON_WANTED)
    expect(response.content_type).to eq("application/json")
    expect(json(response)).to match(error: "NoSuchPath", message: %r{GET / })
  end

  it "answers 405 with the methods there are" do
    allowed = { "/" => "GET, HEAD", "/status" => "GET, HEAD", "/dumps" => "GET, HEAD, POST",
                "/dumps/x" => "GET, HEAD, DELETE", "/dumps/x/download" => "GET, HEAD", "/diff" => "GET, HEAD" }
    allowed.each do |path, methods|
      response = ask_with_token(app, "PUT", path)
      expect([path, response.status, response.headers["allow"]]).to eq([path, 405, methods])
    end
    expect(ask_with_token(app, "OPTIONS", "/dumps").status).to eq(405)
  end

  it "answers HEAD as GET, without the body" do
    %w[/ /status /dumps /nothing].each do |path|
      got = get(path)
      head = ask_with_token(app, "HEAD", path)
      expect(head.body).to be_empty
      expect(head.status).to eq(got.status)
      expect(head.headers["content-type"]).to eq(got.headers["content-type"])
      expect(head.headers["content-length"].to_i).to be_positive
    end
  end

  it "has nothing cached, framed, sniffed or referred to" do
    [get("/"), get("/nothing"), ask_with_token(app, "PUT", "/")].each do |response|
      expect(response.headers.to_h).to include(
        "cache-control" => "no-store", "x-content-type-options" => "nosniff", "x-frame-options" => "DENY",
        "referrer-policy" => "no-referrer", "content-security-policy" => "default-src 'none'; frame-ancestors 'none'"
      )
    end
    expect(ask(app, "GET", "/").headers["cache-control"]).to eq("no-store")
  end

  it "takes no parameters that it does not know, and each once" do
    ["/status?x=1", "/dumps?fork=1", "/diff?colour=red", "/diff?top=1&top=2", "/diff?first",
     "/diff?top=%00", "/diff?%FF=1", "/?a%5Bb%5D=c"].each do |path|
      expect([path, get(path).status]).to eq([path, 400])
    end
    expect(get("/diff", "QUERY_STRING" => "\xFF".b).status).to eq(400)
    expect(get("/diff?colour=red").body).to match(/"colour".*first, second, third/)
    expect(get("/status?#{"x" * 9_000}").status).to eq(414)
  end

  it "finds no path but its own" do
    paths = ["//", "/dumps//", "/dumps/x/y", "/diff/x", "/Status", "/status%2f", "/dumps/%2e%2e", "/dumps\n", "/\xFF".b]
    paths.each do |path|
      response = ask_with_token(app, "GET", "/", "PATH_INFO" => path)
      expect([path, response.status]).to eq([path, 404])
    end
    expect(get("/dumps/").status).to eq(200)
  end
end
