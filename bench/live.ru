# frozen_string_literal: true

require "leak_hunter"

# GET / is a request with about a millisecond of work; POST /diff compares the three dumps named in LEAK_HUNTER_BENCH
# in this process, as an endpoint would.
DUMPS = ENV.fetch("LEAK_HUNTER_BENCH").split(":")

run(lambda do |env|
  case env["PATH_INFO"]
  when "/diff"
    report = LeakHunter.diff(*DUMPS)
    [200, { "content-type" => "text/plain" }, [report[:totals][:count].to_s]]
  else
    items = Array.new(600) { |index| { id: index, name: "item #{index}" } }
    [200, { "content-type" => "text/plain" }, [items.sum { |item| item[:name].size }.to_s]]
  end
end)
