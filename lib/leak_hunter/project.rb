# frozen_string_literal: true

module LeakHunter
  # What a project's folder says: its settings, its lock file.
  module Project
    autoload :Ignores, "leak_hunter/project/ignores"
    autoload :Lockfile, "leak_hunter/project/lockfile"
    autoload :Settings, "leak_hunter/project/settings"
  end
end
