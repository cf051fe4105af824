# frozen_string_literal: true

module LeakHunter
  class Advisories
    # Where a gem's tracker and changelog are: what its specification says, else derived from a home at GitHub or
    # GitLab. Nothing is contacted.
    module Links
      SEARCH = "memory leak"
      HOSTS = %r{\Ahttps?://(?:www\.)?(github\.com|gitlab\.com)/([\w.-]+)/([\w.-]+?)(?:\.git)?(?:[/?#].*)?\z}
      private_constant :SEARCH, :HOSTS

      class << self
        # @param gem [String]
        # @param version [Gem::Version, nil] the installed one that is preferred
        # @return [Hash{Symbol => String}] `:tracker`, `:search` (in the tracker, for leaks) and `:changelog`, as far as
        #   they are known
        def call(gem, version = nil)
          spec = installed(gem, version)
          spec ? of(spec) : {}
        end

        # @param spec [Gem::Specification]
        # @return [Hash{Symbol => String}]
        def of(spec)
          home = home(spec)
          tracker = web(spec.metadata["bug_tracker_uri"]) || (home && "#{home}/issues")
          { tracker:, search: search(tracker), changelog: web(spec.metadata["changelog_uri"]) }.compact
        end

        private

        def installed(gem, version)
          specs = Gem::Specification.select { |spec| spec.name == gem }
          specs.find { |spec| spec.version == version } || specs.max_by(&:version)
        end

        # @return [String, nil] https://github.com/owner/name
        def home(spec)
          texts = [*spec.metadata.values_at("source_code_uri", "homepage_uri", "bug_tracker_uri"), spec.homepage]
          texts.compact.each do |text|
            found = HOSTS.match(text.strip)
            return "https://#{found[1]}/#{found[2]}/#{found[3]}" if found
          end
          nil
        end

        def search(tracker)
          case tracker
          when %r{\Ahttps://github\.com/[\w.-]+/[\w.-]+/issues/?\z}
            "#{tracker.chomp("/")}?q=is%3Aissue+#{SEARCH.tr(" ", "+")}"
          when %r{\Ahttps://gitlab\.com/.+/issues/?\z} then "#{tracker.chomp("/")}/?search=#{SEARCH.tr(" ", "+")}"
          end
        end

        def web(text) = text&.strip&.match?(%r{\Ahttps?://\S+\z}) ? text.strip : nil
      end
    end
  end
end
