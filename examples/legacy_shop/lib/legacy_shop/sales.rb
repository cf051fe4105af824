# frozen_string_literal: true

module LegacyShop
  # What was sold, in a database.
  class Sales
    SHOPS = 8
    PRODUCTS = 40

    def initialize
      @database = SQLite3::Database.new(":memory:")
      @database.execute("create table sales (shop integer, product integer, cents integer)")
      (SHOPS * PRODUCTS).times do |number|
        @database.execute("insert into sales values (?, ?, ?)", [number % SHOPS, number % PRODUCTS, number * 37])
      end
      define_median
    end

    # @return [Array<Array>] each shop with its median price
    def medians = @database.execute("select shop, median(cents) from sales group by shop")

    private

    # SQLite has no median.
    def define_median
      @database.create_aggregate("median", 1) do
        step { |context, cents| (context[:cents] ||= []) << cents }
        finalize { |context| context.result = context[:cents].sort[context[:cents].size / 2] }
      end
    end
  end
end
