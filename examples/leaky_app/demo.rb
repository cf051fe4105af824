# frozen_string_literal: true

# Boots the leaky shop on Puma, hunts its leak over HTTP as an operator would, and checks that it was found, to the
# object. Exits 1 when not. `bin/demo` and `rake leak_hunter:demo` run this.

require "json"
require "securerandom"
require "tmpdir"
require_relative "server"

module LeakyApp
  # The hunt.
  class Demo
    TOKEN = SecureRandom.hex(32)
    ORDERS = 300
    JSON_TYPE = "application/json"
    FORM = "application/x-www-form-urlencoded"
    RACKUP = File.join(__dir__, "config.ru")

    # @return [Boolean] whether the planted leak is the report's first
    def self.run
      Dir.mktmpdir("leaky_app") do |dir|
        Server.run(RACKUP, dir:, env: { "LEAK_HUNTER_TOKEN" => TOKEN }) do |server|
          puts "A leaking shop on Puma: http://127.0.0.1:#{server.port}/ (process #{server.pid})"
          server.connect { |http| new(http).hunt }
        end
      end
    end

    # @param http [Net::HTTP]
    def initialize(http)
      @http = http
      @orders = 0
    end

    def hunt
      trade
      counts = Array.new(3) do |round|
        dump(round + 1)
        planted.fetch("count").tap { trade if round < 2 }
      end
      puts "", ask("GET", "/leaks/diff"), ""
      puts "The command under `next` needs the dumps. Those of this demo are removed at its end.", ""
      found?(planted.merge("count" => counts[1] - counts[0]))
    end

    private

    # Orders leak; looking at products fills a cache, whose objects come and go.
    def trade
      puts "#{ORDERS} orders, #{ORDERS * 2} product views"
      ORDERS.times do
        @orders += 1
        ask("POST", "/orders?product=#{@orders}")
        2.times { |look| ask("GET", "/products/#{(@orders * 10) + look}") }
      end
    end

    def dump(number)
      dump = JSON.parse(ask("POST", "/leaks/dumps", JSON_TYPE))
      bytes, objects, seconds = dump.values_at("bytes", "objects", "seconds")
      puts "Dump #{number}: #{(bytes / 1e6).round(1)} MB, #{objects} objects, " \
           "paused for #{(seconds * 1000).ceil} ms"
    end

    def planted = JSON.parse(ask("GET", "/planted"))

    def found?(planted)
      first = first_leak(JSON.parse(ask("GET", "/leaks/diff", JSON_TYPE))).slice(*planted.keys)
      puts "Planted  #{words(planted)}", "Found    #{words(first)}", ""
      found = first == planted
      puts found ? "The leak is found, to the object." : "The leak is NOT the first of the report."
      found
    end

    # Holders come in the order in which they matter, groups by size: one buffer of Puma's is large, too.
    # @return [Hash] most of what the first holder keeps: a group
    def first_leak(report)
      share = report.fetch("holders").first.to_h.fetch("groups", []).first
      share ? report.fetch("groups").fetch(share.fetch("index")) : {}
    end

    def words(group) = "#{group["count"]} #{group["class"]} allocated at #{group["file"]}:#{group["line"]}"

    def ask(method, path, accept = "text/plain")
      headers = { "accept" => accept, "authorization" => "Bearer #{TOKEN}", "content-type" => FORM }
      response = @http.send_request(method, path, ("" if method == "POST"), headers)
      raise "#{method} #{path}: #{response.code} #{response.body}" unless response.is_a?(Net::HTTPSuccess)

      response.body.force_encoding(Encoding::UTF_8)
    end
  end
end

exit(LeakyApp::Demo.run) if $PROGRAM_NAME == __FILE__
