# frozen_string_literal: true

# A shop as small as can be: it quotes prices and takes orders.
module Shop
end

require_relative "shop/audit_trail"
require_relative "shop/price_cache"
require_relative "shop/app"
