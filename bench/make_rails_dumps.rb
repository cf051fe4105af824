# frozen_string_literal: true

# Makes three heap dumps of a Rails application that serves requests on Puma, and leaks in three ways between them
# (examples/leaky_rails):
#
#   ruby -Ilib bench/make_rails_dumps.rb 450000 DIR     # objects at least; writes DIR/1.json, DIR/2.json, DIR/3.json
#
# Every object is traced from the start. They are whole dumps, with contents, as the classic script takes them.
# DIR/since tells the GC count at the first one.

require "tmpdir"
require_relative "../examples/leaky_app/server"

# Drives the application.
class Visitors
  HEADERS = { "content-type" => "application/x-www-form-urlencoded" }.freeze
  ARTICLES = 500
  # Of so many visitors one watches the article.
  WATCHER = 6

  # @param http [Net::HTTP]
  # @param number [Integer] how many come at a time
  def initialize(http, number)
    @http = http
    @number = number
    @visits = 0
  end

  def come
    @number.times do
      @visits += 1
      ask("GET", "/articles/#{(@visits * 7 % ARTICLES) + 1}#{"/watch" if (@visits % WATCHER).zero?}")
    end
  end

  # @param path [String] of the file
  # @return [Integer] its GC count
  def dump(path) = Integer(ask("POST", "/whole_dump#{path}"))

  private

  def ask(method, path)
    response = @http.send_request(method, path, ("" if method == "POST"), HEADERS)
    raise "#{method} #{path}: #{response.code} #{response.body}" unless response.is_a?(Net::HTTPSuccess)

    response.body
  end
end

objects, folder = ARGV
abort "usage: ruby -Ilib bench/make_rails_dumps.rb OBJECTS DIR" unless folder && Integer(objects)

folder = File.expand_path(folder)
env = { "LEAK_HUNTER_BENCH_OBJECTS" => objects }
Dir.mktmpdir("leak_hunter-bench", folder) do |dir|
  # One thread, so that what leaks per thread leaks in one place.
  LeakyApp::Server.run(File.join(__dir__, "rails/config.ru"), dir:, env:, options: %w[-t 1:1]) do |server|
    puts server.log[/^\d+ objects, .*/]
    server.connect do |http|
      visitors = Visitors.new(http, Integer(objects) < 100_000 ? 100 : 1_000)
      visitors.come
      generations = (1..3).map do |number|
        visitors.dump(File.join(folder, "#{number}.json")).tap { visitors.come if number < 3 }
      end
      File.write(File.join(folder, "since"), generations.first)
    end
  end
end
