# frozen_string_literal: true

# Boots the leaky news site on Puma, hunts its three leaks over HTTP as an operator would, and checks that they were
# found, that nothing else is said to grow, and that the cache was not taken for a leak. Exits 1 when not.
#
#   ruby -Ilib examples/leaky_rails/demo.rb [--cold]     # without warm-up: the first dump before the first visit

require "json"
require "securerandom"
require "tmpdir"
require_relative "../leaky_app/server"

module LeakyRails
  # The hunt.
  class Demo
    TOKEN = SecureRandom.hex(32)
    RACKUP = File.join(__dir__, "config.ru")
    JSON_TYPE = "application/json"
    FORM = "application/x-www-form-urlencoded"

    ARTICLES = 500
    VISITS = 240
    # Of so many visitors one watches the article.
    WATCHER = 6
    # Articles that are read in every second visit from the first dump on, so that they stay in the cache.
    POPULAR = 20

    # Holders in the report, by words that occur in their names in this order. The endpoint leaves keys out.
    LEAKS = {
      "the constant" => /SeededLeaks::AUDIT_TRAIL/,
      "the closures" => /Notifications.*subscribers|edited\.article/,
      "the thread-local" => /\Athread-locals? /
    }.freeze
    CACHE = /LATEST|ArticleCache|@entries/

    # @param warm_up [Boolean] whether it is visited before the first dump
    # @return [Boolean] whether it found what it was to find
    def self.run(warm_up: true)
      Dir.mktmpdir("leaky_rails") do |dir|
        # One thread, so that what leaks per thread leaks in one place.
        LeakyApp::Server.run(RACKUP, dir:, env: { "LEAK_HUNTER_TOKEN" => TOKEN }, options: %w[-t 1:1]) do |server|
          puts "A leaking news site on Puma: http://127.0.0.1:#{server.port}/ (process #{server.pid})"
          server.connect { |http| new(http).hunt(warm_up:) }
        end
      end
    end

    # @param http [Net::HTTP]
    def initialize(http)
      @http = http
      @visits = 0
    end

    def hunt(warm_up:)
      read_the_news(popular: false) if warm_up
      planted # what is made once, is made
      planted = Array.new(3) do |round|
        dump(round + 1)
        self.planted.tap { read_the_news(popular: true) if round < 2 }
      end
      puts "", ask("GET", "/leaks/diff"), ""
      puts "The command under `next` needs the dumps. Those of this demo are removed at its end.", ""
      @report = JSON.parse(ask("GET", "/leaks/diff", JSON_TYPE))
      groups = planted_between(*planted.first(2)).map { |name, count| group?(name, count) }
      (groups + holders).all?
    end

    private

    def read_the_news(popular:)
      puts "#{VISITS} visits; in #{VISITS / WATCHER} of them an article is watched"
      VISITS.times do
        @visits += 1
        number = popular && @visits.even? ? (@visits / 2 % POPULAR) : (@visits * 7 % (ARTICLES - POPULAR)) + POPULAR
        ask("GET", "/articles/#{number + 1}#{"/watch" if (@visits % WATCHER).zero?}")
      end
    end

    def dump(number)
      dump = JSON.parse(ask("POST", "/leaks/dumps", JSON_TYPE))
      bytes, objects, seconds = dump.values_at("bytes", "objects", "seconds")
      puts "Dump #{number}: #{(bytes / 1e6).round(1)} MB, #{objects} objects, " \
           "paused for #{(seconds * 1000).ceil} ms"
    end

    def planted = JSON.parse(ask("GET", "/planted"))

    # What leaked between the first two dumps, by class.
    def planted_between(before, after)
      grown = after.to_h { |name, count| [name, count - before.fetch(name)] }
      { "SeededLeaks::Visit" => grown.fetch("visits"), "SeededLeaks::Query" => grown.fetch("queries"),
        "ActiveSupport::HashWithIndifferentAccess" => VISITS / WATCHER }
    end

    def group?(name, count)
      found = @report.fetch("groups").select { |group| group["class"] == name }.sum { |group| group["count"] }
      say("#{count} #{name}", found == count, "#{found} in the report")
    end

    def holders
      growing = @report.fetch("holders").select { |holder| holder["verdict"]["name"] == "growing" }
      names = growing.map { |holder| holder["name"].to_s }
      leaks = LEAKS.map { |what, name| say("#{what} grows", names.grep(name).one?, names.join(", ")) }
      leaks << say("three holders grow", names.size == LEAKS.size, names.join(", "))
      leaks << say("nothing grows in place", grown_in_place.empty?, grown_in_place.join(", "))
      leaks << say("the cache does not grow", names.grep(CACHE).empty?, names.join(", "))
    end

    def grown_in_place
      @report.fetch("grown_in_place").filter_map { |it| it["name"].to_s if it["verdict"]["name"] == "growing" }
    end

    def say(what, found, otherwise)
      puts "#{found ? "Found" : "NOT found"}: #{what}#{" (#{otherwise})" unless found}"
      found
    end

    def ask(method, path, accept = "text/plain")
      headers = { "accept" => accept, "authorization" => "Bearer #{TOKEN}", "content-type" => FORM }
      response = @http.send_request(method, path, ("" if method == "POST"), headers)
      raise "#{method} #{path}: #{response.code} #{response.body}" unless response.is_a?(Net::HTTPSuccess)

      response.body.force_encoding(Encoding::UTF_8)
    end
  end
end

exit(LeakyRails::Demo.run(warm_up: !ARGV.delete("--cold"))) if $PROGRAM_NAME == __FILE__
