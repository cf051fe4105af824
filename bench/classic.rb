# frozen_string_literal: true

# The three-dump script in its plain form, as it is copied from post to post: parses every line as JSON, compares by
# address alone. The contender of bench/diff.rb.
#
#   ruby bench/classic.rb 1.json 2.json 3.json

require "json"
require "set"

def addresses(path)
  set = Set.new
  File.foreach(path) do |line|
    address = JSON.parse(line)["address"]
    set << address if address
  end
  set
end

first = addresses(ARGV[0])
third = addresses(ARGV[2])

kept = []
File.foreach(ARGV[1]) do |line|
  record = JSON.parse(line)
  address = record["address"]
  kept << record if address && !first.include?(address) && third.include?(address)
end

sum = ->(records, key) { records.sum { |record| record[key] || 0 } }

kept.group_by { |record| record.values_at("type", "file", "line") }
    .map { |site, records| [site, records.size, sum[records, "bytesize"], sum[records, "memsize"]] }
    .sort_by { |_, count, *| -count }
    .each do |(type, file, line), count, bytesize, memsize|
      puts "Retained #{count} #{type} objects of size #{bytesize}/#{memsize} at: #{file}:#{line}"
    end
puts
puts "Total Size: #{sum[kept, "bytesize"]}/#{sum[kept, "memsize"]}"
