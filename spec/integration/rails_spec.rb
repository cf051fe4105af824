# frozen_string_literal: true

RSpec.describe "LeakHunter::Web with Rails", :tmpdir do
  before { %w[puma railties].each { |name| needs_gem(name) } }

  def origin(server) = { "origin" => "http://127.0.0.1:#{server.port}" }

  def login(http) = { "cookie" => http.get("/login")["set-cookie"][/\A[^;]+/] }

  it "works mounted in the routes, as class and as instance, and as middleware" do
    serve("rails.ru") do |server|
      server.connect do |http|
        expect(http.get("/").body).to eq("the shop")
        for_strangers = %w[/leaks /leaks/status /closed/status /middleware/status].map { |path| http.get(path).code }
        expect(for_strangers.uniq).to eq(["404"])
        expect(http.get("/closed/status", WebServer::HEADERS).code).to eq("404")
        expect(http.get("/leaks", WebServer::HEADERS).body).to include("POST /leaks/dumps")
        expect(http.get("/middleware/status", WebServer::HEADERS).code).to eq("200")

        3.times { post_dump(http) }
        expect(http.get("/leaks/diff", WebServer::HEADERS)).to have_attributes(code: "200", body: /objects/)
      end
      expect(Dir.glob(File.join(@tmpdir, "tmp/leak_hunter/*.json*")).size).to eq(3)
      expect(File.read(File.join(@tmpdir, "rails.log"))).to match(/LeakHunter::Web: 127\.0\.0\.1 took the dump/)
    end
  end

  it "lets a session in, and asks where its POST comes from" do
    serve("rails.ru") do |server|
      server.connect do |http|
        session = login(http)
        expect(http.get("/leaks/status", session).code).to eq("200")
        form = session.merge("content-type" => WebServer::FORM)
        expect(http.post("/leaks/dumps", "", form).code).to eq("403")
        expect(http.post("/leaks/dumps", "", form.merge("origin" => "http://evil.test")).code).to eq("403")
        response = http.post("/leaks/dumps", "fork=1", form.merge(origin(server)))
        expect(response).to have_attributes(code: "201", body: /^snapshot +fork$/)
        expect(http.delete(response["location"], session.merge(origin(server))).code).to eq("204")
        expect(Dir.glob(File.join(@tmpdir, "tmp/leak_hunter/*"))).to be_empty
      end
    end
  end
end
