# frozen_string_literal: true

require "leak_hunter"
require "minitest"

module LeakHunter
  module Context # :nodoc:
    # What a test allocates is reported with its name: "OrdersTest#test_create".
    module Minitest
      def run = LeakHunter.context("#{self.class.name}##{name}") { super }
    end

    ::Minitest::Test.prepend(Minitest)
  end
end
