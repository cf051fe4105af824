# frozen_string_literal: true

$LOAD_PATH.unshift File.expand_path("../lib", __dir__)

require "leak_hunter"
require "tmpdir"

# Where the command line notes its last report: not in the home of who runs the specs.
ENV["XDG_STATE_HOME"] = Dir.mktmpdir("leak_hunter-state").tap { |dir| at_exit { FileUtils.remove_entry(dir) } }

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
