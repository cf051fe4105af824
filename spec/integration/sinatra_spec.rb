# frozen_string_literal: true

RSpec.describe "LeakHunter::Web with Sinatra", :tmpdir do
  before { %w[puma sinatra].each { |name| needs_gem(name) } }

  it "works as middleware and mounted beside the application" do
    serve("sinatra.ru") do |server|
      server.connect do |http|
        expect(http.get("/").body).to eq("the shop")
        expect(http.get("/leaks/status")).to have_attributes(code: "404", body: "the shop's own 404")
        expect(http.get("/leaks/status", WebServer::HEADERS).body).to match(/^LeakHunter #{LeakHunter::VERSION}/o)

        expect(http.get("/admin/leaks/status").code).to eq("404")
        expect(http.get("/admin/leaks/status", "x-user" => "admin").code).to eq("200")

        dumps = [post_dump(http), post_dump(http, "/admin/leaks/dumps"), post_dump(http)]
        result = json(http.get("/admin/leaks/diff", WebServer::JSON_HEADERS))
        names = result[:dumps].map { |dump| File.basename(dump[:path], ".json.zst") }
        expect(names).to eq(dumps.map { |dump| dump[:id] })
      end
    end
  end
end
