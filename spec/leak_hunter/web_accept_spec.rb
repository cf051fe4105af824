# frozen_string_literal: true

require "leak_hunter/web"

RSpec.describe LeakHunter::Web::Accept do
  def self.gives(type, *headers)
    headers.each do |header|
      it("gives #{type} for #{header.inspect[0, 80]}") { expect(described_class.json?(header)).to be(type == :json) }
    end
  end

  gives :json, "application/json", "application/json, */*", "Application/JSON", "text/plain;q=0.5, application/json",
        "text/html, application/json;q=0.9", "*/*;q=0.1,application/*", "application/json;q=0.2, text/plain;q=0.1",
        "application/json; charset=utf-8", "application/json, text/plain, */*"

  gives :text, nil, "", "*/*", "text/plain", "text/*, */*;q=0.1", "text/plain, application/json",
        "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "application/json;q=0", ",", ";", "q=1",
        "application/json;q=x", "\xFF".b, "application/jsonx", "application/json,#{"x" * 2_000}"
end
