# frozen_string_literal: true

$LOAD_PATH.unshift File.expand_path("../lib", __dir__)

require "leak_hunter"
require "tmpdir"

Dir[File.join(__dir__, "support", "*.rb")].each { |file| require file }

RSpec.configure do |config|
  config.disable_monkey_patching!
  config.order = :random
  Kernel.srand config.seed
  config.expect_with(:rspec) { |expectations| expectations.include_chain_clauses_in_custom_matcher_descriptions = true }

  config.after { LeakHunter.untrace! }

  config.around(:each, :tmpdir) do |example|
    Dir.mktmpdir("leak_hunter-spec") do |dir|
      @tmpdir = dir
      example.run
    end
  end
end
