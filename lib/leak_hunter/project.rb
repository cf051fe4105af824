# frozen_string_literal: true

module LeakHunter
  # What a project's folder says: its settings, its lock file. Nothing here runs code of the project's.
  module Project
    autoload :Ignores, "leak_hunter/project/ignores"
    autoload :LoadedGems, "leak_hunter/project/loaded_gems"
    autoload :Lockfile, "leak_hunter/project/lockfile"
    autoload :LockfileReader, "leak_hunter/project/lockfile_reader"
    autoload :Settings, "leak_hunter/project/settings"

    # A gem in the version that the project uses.
    #
    # - `version` is a Gem::Version, `platform` is "ruby" or a name such as "x86_64-linux"
    # - `source` is "rubygems", "git", "path" or "plugin"; "default" for what Ruby itself brought
    # - `dependencies` are names
    # - `line` is where it stands in the lock file, or nil
    GemVersion = Struct.new(:name, :version, :platform, :source, :dependencies, :line, keyword_init: true) do
      # Of a git revision or a folder, the version says little about what is in it.
      def released? = !%w[git path plugin].include?(source)
    end
  end
end
