# frozen_string_literal: true

# The news site of examples/leaky_rails without its leaks: requests through all of Rails' middleware, a database, and a
# full cache.

require_relative "program"
require_relative "../../examples/leaky_rails/lib/news"
require "rack/mock"

News.boot(leaks: false)
browser = Rack::MockRequest.new(News::Application)
random = Random.new(1)

Program.live do
  200.times do |visit|
    path = "/articles/#{random.rand(News::ARTICLES) + 1}#{"/watch" if (visit % 6).zero?}?page=#{random.rand(1_000)}"
    response = browser.get(path, "HTTP_USER_AGENT" => "visitor #{visit}")
    raise "#{path}: #{response.status} #{response.body}" unless response.ok?
  end
end
