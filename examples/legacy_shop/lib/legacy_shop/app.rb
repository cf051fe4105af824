# frozen_string_literal: true

module LegacyShop
  # The pages:
  #
  #   GET /products/7     a price
  #   GET /medians        a table
  class App < Sinatra::Base
    SALES = Sales.new
    VISITS = Visits.new

    before { VISITS.note(request.path_info) }

    get("/products/:number") { "#{Prices.quote(params["number"].to_i, Time.now.to_f).cents} cents\n" }

    get("/medians") { SALES.medians.map { |shop, cents| "shop #{shop}: #{cents} cents\n" }.join }
  end
end
