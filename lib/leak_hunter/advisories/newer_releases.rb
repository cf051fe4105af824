# frozen_string_literal: true

module LeakHunter
  class Advisories
    # Leak fixes that the changelogs of newer releases know of. Asks the gem sources of the user's own RubyGems, by
    # RubyGems itself: with its proxies, credentials and certificates. Nothing is installed; the newest release of each
    # gem is downloaded into a temporary folder, and its changelog is read.
    class NewerReleases
      # More than this is not the changelog of a gem's own.
      MOST = 20
      # So many gems are asked about; the largest and most severe come first.
      LIMIT = 30
      private_constant :MOST, :LIMIT

      # @return [Array<String>] what could not be looked up, and why
      attr_reader :failures

      # @param lock [Project::Lockfile]
      # @param gems [Array<String>] names
      def initialize(lock, gems)
        @used = gems.filter_map { |name| lock[name] }.select { |spec| %w[rubygems default].include?(spec.source) }
                    .first(LIMIT)
        @failures = []
      end

      # @return [Array<String>] what will be contacted, without credentials
      def sources
        Gem.sources.map { |source| source.to_s.sub(%r{//[^/@]*@}, "//") }
      end

      # @return [Array<String>] names of the gems that are asked about
      def gems = @used.map(&:name)

      # @return [Array<Hash{Symbol => Object}>] as {InstalledChangelogs.call}
      def call
        require "rubygems/spec_fetcher"
        require "rubygems/package"
        require "tmpdir"
        @used.flat_map { |used| newer(used) }
      end

      private

      def newer(used)
        found, source = newest(used)
        return [] unless found

        Dir.mktmpdir("leak_hunter-changelogs") { |dir| read(used, source.download(source.fetch_spec(found), dir), dir) }
      rescue Gem::Exception, SystemCallError, SocketError, IOError, Zlib::Error, Timeout::Error => e
        failed(used.name, e.message)
      end

      # @return [Array, nil] name tuple and source
      def newest(used)
        wanted = Gem::Dependency.new(used.name, "> #{used.version}")
        tuples, errors = Gem::SpecFetcher.fetcher.search_for_dependency(wanted)
        errors.each { |error| failed(used.name, error.error.message) } if tuples.empty?
        tuples.max_by { |tuple, _| tuple.version }
      end

      def read(used, gem, dir)
        package = Gem::Package.new(gem)
        folder = File.join(dir, "contents")
        names = package.contents.select { |name| File.fnmatch?(Changelog::FILES, name, File::FNM_EXTGLOB) }
        names.flat_map do |name|
          package.extract_files(folder, name)
          found = InstalledChangelogs.newer(used, File.join(folder, name))
          found.map { |it| { **it, path: "#{File.basename(gem)}/#{name}" } }
        end.first(MOST)
      end

      def failed(gem, reason)
        @failures << "#{gem}: #{reason.lines.first.to_s.strip}"
        []
      end
    end
  end
end
