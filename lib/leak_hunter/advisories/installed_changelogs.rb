# frozen_string_literal: true

module LeakHunter
  class Advisories
    # Leak fixes that the changelogs on this machine know of, and the version in use does not have.
    #
    # The changelog of a version ends with that version. So this finds something only where a newer one is installed,
    # too, or where the project uses an older one than this machine has. It cannot say that there is none.
    module InstalledChangelogs
      # Debian keeps them outside of the gem.
      DEBIAN = "/usr/share/doc/ruby-%s"
      MOST = 20
      private_constant :DEBIAN, :MOST

      class << self
        # @param lock [Project::Lockfile]
        # @param gems [Array<String>] of these
        # @return [Array<Hash{Symbol => Object}>] `:gem`, `:version` in use, `:fixed_in`, `:text`, `:path`, `:line`
        def call(lock, gems)
          gems.filter_map { |name| lock[name] }.select(&:released?).flat_map do |used|
            files(used.name).flat_map { |path| newer(used, path) }
                            .uniq { |it| [it[:fixed_in], it[:text]] }.first(MOST)
          end
        end

        # @return [Array<Hash{Symbol => Object}>] of one changelog
        def newer(used, path)
          Changelog.read(path).fixes.select { |fix| fix.version && fix.version > used.version }.map do |fix|
            { gem: used.name, version: used.version.to_s, fixed_in: fix.version.to_s, text: fix.text, path:,
              line: fix.line }
          end
        rescue SystemCallError, Zlib::Error, EOFError
          [] # what cannot be read says nothing
        end

        private

        def files(gem)
          dirs = Gem::Specification.select { |spec| spec.name == gem }.map(&:full_gem_path)
          dirs << format(DEBIAN, gem.tr("_", "-"))
          dirs.uniq.flat_map { |dir| Dir.glob(Changelog::FILES, base: dir).map { |name| File.join(dir, name) } }
              .select { |path| File.file?(path) }
        end
      end
    end
  end
end
