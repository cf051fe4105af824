# frozen_string_literal: true

require "leak_hunter"
require "rspec/core"

# What an example allocates is reported with its place: "./spec/orders_spec.rb:12".
RSpec.configure do |config|
  config.backtrace_exclusion_patterns << %r{/lib/leak_hunter(?:\.rb|/context)}
  config.around do |example|
    LeakHunter.context(example.metadata[:location]) { example.run }
  end
end
