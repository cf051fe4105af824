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
    end

    # Computed here, without an aggregate function of our own.
    #
    # @return [Array<Array>] each shop with its median price
    def medians
      rows = @database.execute("select shop, cents from sales order by shop, cents")
      rows.group_by(&:first).map { |shop, sales| [shop, sales[sales.size / 2].last] }
    end
  end
end
