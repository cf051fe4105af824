# frozen_string_literal: true

# A shop: products, prices, and what they cost on the average.
module LegacyShop
end

require "sinatra/base"
require "sqlite3"
require_relative "legacy_shop/prices"
require_relative "legacy_shop/sales"
require_relative "legacy_shop/visits"
require_relative "legacy_shop/app"
