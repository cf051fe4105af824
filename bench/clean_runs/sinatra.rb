# frozen_string_literal: true

# A shop on Sinatra: ERB templates in a layout, partials, sessions in cookies, redirects, pages that are not there.

require_relative "program"
require "sinatra/base"
require "rack/mock"
require "securerandom"

# The shop.
class Shop < Sinatra::Base
  set :environment, :production
  set :views, File.join(__dir__, "views")
  set :sessions, true
  set :session_secret, SecureRandom.hex(32)

  helpers do
    def price(number) = format("%.2f EUR", number * 1.19)
  end

  get("/") { erb :index, locals: { items: Array.new(30) { |number| "item #{number}" } } }

  get "/items/:id" do
    session[:seen] = [params[:id], *session[:seen]].first(5)
    erb :item, locals: { id: params[:id].to_i, seen: session[:seen] }
  end

  post("/basket/:id") { redirect "/items/#{params[:id]}" }

  not_found { erb "<p>No <%= Rack::Utils.escape_html(request.path) %>.</p>" }
end

browser = Rack::MockRequest.new(Shop)
random = Random.new(1)

Program.live do
  cookie = nil
  300.times do |visit|
    id = random.rand(100_000)
    method, path, status = [["GET", "/", 200], ["GET", "/items/#{id}", 200], ["GET", "/items/#{id}?q=#{visit}", 200],
                            ["POST", "/basket/#{id}", 303], ["GET", "/nothing/#{id}", 404]].at(visit % 5)
    response = browser.request(method, path, "HTTP_COOKIE" => cookie, "HTTP_VERSION" => "HTTP/1.1")
    raise "#{path}: #{response.status} #{response.errors}" unless response.status == status

    cookie = response["Set-Cookie"]&.[](/\A[^;]+/) || cookie
  end
end
