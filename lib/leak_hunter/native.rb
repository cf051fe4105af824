# frozen_string_literal: true

module LeakHunter
  # What the Rust extension answers. Private: use {LeakHunter.diff}.
  module Native
    begin
      require "leak_hunter/#{RUBY_VERSION[/\d+\.\d+/]}/leak_hunter"
    rescue LoadError
      require "leak_hunter/leak_hunter"
    end
  end
end
