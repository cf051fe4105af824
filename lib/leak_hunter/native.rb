# frozen_string_literal: true

# Loads the native extension.
module LeakHunter
  # Gems that come compiled have a folder for each Ruby. No require is tried that may fail: RubyGems would read the
  # specifications of all installed gems, and beside a busy thread that takes a minute.
  folder = RUBY_VERSION[/\d+\.\d+/]
  name = File.directory?(File.join(__dir__, folder)) ? "leak_hunter/#{folder}/leak_hunter" : "leak_hunter/leak_hunter"
  hint = "build it with `rake compile` in a checkout, or with `gem pristine leak_hunter`"
  begin
    raise LoadError, "#{name} is not in the load path" unless $LOAD_PATH.resolve_feature_path(name)

    require name
  rescue LoadError => e
    raise ExtensionMissing, "the native extension cannot be loaded: #{hint} (#{e.message})"
  end

  # What the Rust extension answers. Private: use {LeakHunter.diff}.
  module Native
  end
end
