# frozen_string_literal: true

$LOAD_PATH.unshift File.expand_path("../lib", __dir__)

require "rubocop"
require "rubocop/rspec/support"
require "rubocop-leak_hunter"

RSpec.configure do |config|
  config.include RuboCop::RSpec::ExpectOffense
  config.disable_monkey_patching!
  config.order = :random
  Kernel.srand config.seed
end
