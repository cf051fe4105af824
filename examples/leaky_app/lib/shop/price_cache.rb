# frozen_string_literal: true

module Shop
  # What a product costs at the moment.
  Quote = Struct.new(:product, :cents, :currency)

  # Keeps the latest quotes. Makes a lot of objects, of which none stays for long: not a leak.
  class PriceCache
    SIZE = 50

    def initialize
      @quotes = {}
      @lock = Mutex.new
    end

    def fetch(product)
      @lock.synchronize do
        quote = @quotes.delete(product) || Quote.new(product, 1_000 + (product.hash % 9_000), +"EUR")
        @quotes[product] = quote
        @quotes.shift if @quotes.size > SIZE
        quote
      end
    end
  end
end
