# frozen_string_literal: true

module LeakHunter
  class Advisories
    # The gems whose code allocated what grows, the largest first, with where to look for others who have seen it.
    module GrowingGems
      LIMIT = 5
      # Not a gem: the application, Ruby itself.
      OTHERS = %w[app ruby].freeze
      private_constant :LIMIT, :OTHERS

      class << self
        # @param report [Hash] of a diff with holders
        # @return [Array<Hash{Symbol => Object}>] `:gem`, `:version`, `:count`, `:memsize` and {Links}
        def call(report)
          sums = Hash.new { |hash, gem| hash[gem] = [0, 0] }
          growing(report).each do |group|
            sums[group[:gem]][0] += group[:count]
            sums[group[:gem]][1] += group[:memsize]
          end
          sums.reject { |gem, _| gem.nil? || OTHERS.include?(gem) }.max_by(LIMIT) { |_, (_, memsize)| memsize }
              .map { |gem, (count, memsize)| row(gem, count, memsize) }
        end

        private

        def growing(report)
          holders = (report[:holders] || []).select { |holder| holder[:verdict][:name] == "growing" }
          holders.flat_map { |it| it[:groups] }.uniq { |it| it[:index] }.filter_map { |it| report[:groups][it[:index]] }
        end

        # A report names gems as "oj 3.14.2".
        def row(gem, count, memsize)
          name, version = gem.split
          known = version if version && Gem::Version.correct?(version)
          { gem: name, version: known, count:, memsize:, **Links.call(name, known && Gem::Version.new(known)) }
        end
      end
    end
  end
end
