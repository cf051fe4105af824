# frozen_string_literal: true

module LegacyShop
  # What a product costs at a moment.
  class Prices
    Quote = Struct.new(:product, :at, :cents)

    class << self
      # Meant to save work. Its key has the time in it, so that no quote is ever found again.
      def quote(product, at)
        @quotes ||= {}
        @quotes[[product, at]] ||= Quote.new(product, at, 1_000 + ((product * 7_919) % 9_000))
      end
    end
  end
end
