# frozen_string_literal: true

module LeakHunter
  module Project
    # The gems that are activated in this process, in the form of a lock file.
    module LoadedGems
      class << self
        # @return [Lockfile]
        def call
          specs = Gem.loaded_specs.values.map { |spec| gem_version(spec) }.sort_by(&:name)
          needed = specs.flat_map(&:dependencies)
          # which of them the Gemfile names is not known: those that no other needs
          Lockfile.new(specs:, declared: specs.map(&:name) - needed,
                       ruby_version: Gem::Version.new(RUBY_VERSION), engine: RUBY_ENGINE)
        end

        private

        def gem_version(spec)
          GemVersion.new(name: spec.name, version: spec.version, platform: spec.platform.to_s, source: source_of(spec),
                         dependencies: spec.runtime_dependencies.map(&:name), line: nil)
        end

        # Bundler knows it; without Bundler all are from RubyGems.
        def source_of(spec)
          return "default" if spec.default_gem?

          source = spec.respond_to?(:source) ? spec.source.class.name.to_s : ""
          case source[/\w+\z/]
          when "Git" then "git"
          when "Path", "Gemspec" then "path"
          else "rubygems"
          end
        end
      end
    end
  end
end
