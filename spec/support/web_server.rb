# frozen_string_literal: true

require_relative "../../examples/leaky_app/server"

# Real applications on a real Puma, spoken to over HTTP.
module WebServer
  FIXTURES = File.expand_path("../fixtures/web", __dir__)
  FORM = "application/x-www-form-urlencoded"
  HEADERS = { "authorization" => "Bearer #{WebEndpoint::TOKEN}", "content-type" => FORM }.freeze
  JSON_HEADERS = HEADERS.merge("accept" => "application/json").freeze

  # Ruby 3.1.2 cannot forward a block without a name beside keywords, so this one has one.
  #
  # @param name [String] of a rackup file among the fixtures, or its path
  # @yieldparam server [LeakyApp::Server]
  def serve(name, env: {}, options: [], &block)
    env = { "LEAK_HUNTER_TOKEN" => WebEndpoint::TOKEN, **env }
    LeakyApp::Server.run(File.expand_path(name, FIXTURES), dir: @tmpdir, options:, env:, &block)
  end

  # @return [Hash] what a POST answers
  def post_dump(http, path = "/leaks/dumps")
    response = http.post(path, "", JSON_HEADERS)
    raise "#{response.code} #{response.body}" unless response.code == "201"

    json(response)
  end

  def needs_gem(name)
    Gem::Specification.find_all_by_name(name).any? or skip "#{name} is not installed"
  end
end

RSpec.configure { |config| config.include WebServer }
