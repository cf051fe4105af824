# frozen_string_literal: true

require "json"

# Talks to the Rack endpoint, with Rack::Lint on both sides.
module WebEndpoint
  TOKEN = "a-token-of-32-bytes-for-the-specs"
  BEARER = { "HTTP_AUTHORIZATION" => "Bearer #{TOKEN}" }.freeze
  JSON_WANTED = { "HTTP_ACCEPT" => "application/json" }.freeze

  # @param env [Hash{String => String}] more for the Rack environment
  # @return [Rack::MockResponse]
  def ask(app, method, path, env = {})
    require "rack"
    Rack::MockRequest.new(app).request(method, path, { lint: true }.merge(env))
  end

  # As somebody who has the token.
  def ask_with_token(app, method, path, env = {}) = ask(app, method, path, BEARER.merge(env))

  def json(response) = JSON.parse(response.body, symbolize_names: true)

  # A dump as the recorder writes it, with next to nothing in it.
  #
  # @return [String] its id
  def write_dump(dir, sequence, pid: Process.pid, name: nil, padding: 0, **header)
    taken_at = format("2026-11-24T03:04:%02d.000000Z", sequence)
    name ||= "#{taken_at.delete("-:")}-host-pid#{pid}-#{sequence.to_s.rjust(4, "0")}"
    header = { type: "DUMP", leak_hunter: LeakHunter::VERSION, schema: 1, id: format("%032x", sequence),
               boot: LeakHunter::ProcessIdentity.boot, pid:, host: "host", sequence:, taken_at:, ruby: RUBY_VERSION,
               platform: RUBY_PLATFORM, generation: sequence * 10, compactions: 0, tracing_since: 1,
               snapshot: "in_process", **header }
    File.write(File.join(dir, "#{name}.json"), <<~DUMP)
      #{JSON.generate(header)}
      {"address":"0x7f00000000#{format("%02x", sequence * 8)}", "type":"OBJECT", "slot_size":40, "class":"0x7f0000000100", "generation":#{(sequence * 10) - 1}, "memsize":40}
      {"address":"0x7f0000000100", "type":"CLASS", "name":"#{"Padded" * padding}", "memsize":1000}
      {"type":"DUMP_END", "id":"#{header[:id]}"}
    DUMP
    name
  end
end

RSpec.configure { |config| config.include WebEndpoint }
