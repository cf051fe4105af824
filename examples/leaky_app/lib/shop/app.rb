# frozen_string_literal: true

require "json"
require "uri"

module Shop
  # The Rack application:
  #
  #   GET  /products/7           a price
  #   POST /orders?product=7     an order
  #   GET  /planted              what leaks, for those who check whether it is found
  class App
    def initialize
      @prices = PriceCache.new
    end

    def call(env)
      case [env["REQUEST_METHOD"], env["PATH_INFO"]]
      in ["GET", %r{\A/products/(\d+)\z}] then json(200, quote(Regexp.last_match(1)))
      in ["POST", "/orders"] then order(env)
      in ["GET", "/planted"] then json(200, AuditTrail.planted)
      else json(404, { error: "not found" })
      end
    end

    private

    def quote(product) = @prices.fetch(product).to_h

    def order(env)
      started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
      product = URI.decode_www_form(env["QUERY_STRING"]).to_h.fetch("product", "1")
      price = quote(product)
      duration = Process.clock_gettime(Process::CLOCK_MONOTONIC) - started
      AuditTrail.record(:order_placed, "product #{product}", customer: product.to_i % 97, duration:)
      json(201, { ordered: price })
    end

    def json(status, data) = [status, { "content-type" => "application/json" }, [JSON.generate(data)]]
  end
end
