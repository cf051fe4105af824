# frozen_string_literal: true

RSpec.describe LeakHunter::Middleware, :tmpdir do
  let(:seen) { [] }
  let(:application) do
    lambda do |env|
      seen << env.values_at("SCRIPT_NAME", "PATH_INFO")
      [200, { "content-type" => "text/plain" }, ["the application\n"]]
    end
  end
  let(:app) { described_class.new(application, path: "/leaks", token: WebEndpoint::TOKEN, dir: @tmpdir) }

  it "has the endpoint at its path" do
    ["/leaks", "/leaks/", "/leaks/status", "/leaks/dumps"].each do |path|
      expect([path, ask_with_token(app, "GET", path).status]).to eq([path, 200])
    end
    expect(ask_with_token(app, "GET", "/leaks/nothing").status).to eq(404)
    expect(ask_with_token(app, "GET", "/leaks").body).to include("GET /leaks/status")
    expect(seen).to be_empty
  end

  it "passes everything else on, untouched" do
    ["/", "/leak", "/leaksmith", "/leaks.json", "/x/leaks", "/Leaks", "/leaks%2Fstatus", "//leaks"].each do |path|
      expect(ask_with_token(app, "GET", "/", "PATH_INFO" => path).body).to eq("the application\n")
    end
    expect(seen.map(&:last)).to include("/leaksmith", "//leaks")
    expect(seen.map(&:first).uniq).to eq([""])
  end

  it "lets the application answer those who may not come in" do
    %w[/leaks /leaks/status /leaks/dumps].product(%w[GET POST DELETE]).each do |path, method|
      expect(ask(app, method, path).body).to eq("the application\n")
      expect(seen.last).to eq(["", path])
    end
  end

  it "is below the place where the application is mounted" do
    expect(ask_with_token(app, "GET", "/leaks", "SCRIPT_NAME" => "/shop").body).to include("GET /shop/leaks/status")
  end

  it "hands its caller's environment on as it is" do
    env = { "REQUEST_METHOD" => "GET", "PATH_INFO" => "/leaks/status" }.freeze
    expect(app.call(env).first).to eq(200)
  end

  it "adds no object to other requests" do
    output = run_ruby(<<~'RUBY', WebEndpoint::TOKEN) # where no other thread makes some
      response = [200, {}.freeze, [].freeze].freeze
      middleware = LeakHunter::Middleware.new(->(_env) { response }, path: "/leaks", token: ARGV[0])
      environments = ["/", "/leaksmith", "/articles/1/comments", "/\u00e9".b, nil].map { |path| { "PATH_INFO" => path } }
      environments.each { |env| middleware.call(env) }
      before = GC.stat(:total_allocated_objects)
      1_000.times { environments.each { |env| middleware.call(env) } }
      puts GC.stat(:total_allocated_objects) - before
    RUBY
    expect(output.to_i).to be < 10
  end

  it "has a path of its own by default, and takes only what is one" do
    app = described_class.new(application, token: WebEndpoint::TOKEN)
    expect(ask_with_token(app, "GET", "/leaks").status).to eq(200)
    ["", "/", "leaks", "/leaks/", "/a b", "/l\u00e9aks", nil].each do |path|
      expect { described_class.new(application, path:) }.to raise_error(LeakHunter::UsageError, /path/)
    end
    expect { described_class.new(application, colour: "red") }.to raise_error(LeakHunter::UsageError, /colour/)
  end
end
