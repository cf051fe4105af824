# frozen_string_literal: true

module LeakHunter
  # What the Rust extension answers. Private: use {LeakHunter.diff}.
  module Native
    # Gems that come compiled have a folder for each Ruby. No require is tried that may fail: RubyGems would read the
    # specifications of all installed gems, and beside a busy thread that takes a minute.
    folder = RUBY_VERSION[/\d+\.\d+/]
    compiled = File.directory?(File.join(__dir__, folder))
    require(compiled ? "leak_hunter/#{folder}/leak_hunter" : "leak_hunter/leak_hunter")
  end
end
