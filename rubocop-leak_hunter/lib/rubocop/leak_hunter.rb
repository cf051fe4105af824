# frozen_string_literal: true

require_relative "leak_hunter/version"

module RuboCop
  # Cops for memory leaks.
  module LeakHunter
    DEFAULTS = File.expand_path("../../config/default.yml", __dir__)
  end
end

begin
  require "lint_roller"
rescue LoadError # RuboCop before 1.72 has no plugins
  require_relative "leak_hunter/inject"
else
  require_relative "leak_hunter/plugin"
end

require_relative "cop/leak_hunter/mixin/scopes"
require_relative "cop/leak_hunter/mixin/long_lived_roots"
require_relative "cop/leak_hunter/unbounded_collection"
require_relative "cop/leak_hunter/unbounded_memo"
require_relative "cop/leak_hunter/growing_hash_default"
require_relative "cop/leak_hunter/dynamic_symbol"
require_relative "cop/leak_hunter/class_per_call"
require_relative "cop/leak_hunter/subscription_per_call"
require_relative "cop/leak_hunter/thread_retention"
require_relative "cop/leak_hunter/long_lived_buffer"
require_relative "cop/leak_hunter/middleware_state"
require_relative "cop/leak_hunter/resource_per_call"
