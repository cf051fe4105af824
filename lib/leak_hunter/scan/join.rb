# frozen_string_literal: true

module LeakHunter
  module Scan
    # Findings of the source, joined with the holders that a diff found.
    class Join
      # What may follow a variable in the name of what is in it.
      INSIDE = [" ", ".", "[", "::", "("].freeze

      # @param findings [Array<Hash>]
      # @param result [Hash, Array<Hash>] of a diff with holders, or its holders
      def initialize(findings, result)
        @findings = findings
        holders = result.is_a?(Hash) ? result.values_at(:holders, :grown_in_place).flat_map(&:to_a) : result
        @growing = holders.select { |holder| holder.dig(:verdict, :name) == "growing" }
        @names = @growing.to_h { |holder| [holder, names(holder)] }.compare_by_identity
      end

      # @return [Hash{Symbol => Array<Hash>}]
      def to_h
        used = {}.compare_by_identity
        joined = @findings.map do |finding|
          holders = holders_of(finding)
          holders.each { |holder| used[holder] = true }
          finding.merge(confirmed: confirmed(finding, holders), holder: holders.first&.fetch(:name),
                        holders: holders.filter_map { |holder| holder[:fingerprint] })
        end
        first, rest = joined.partition { |finding| finding[:confirmed] }
        { findings: first + rest, holders: @growing.reject { |holder| used[holder] } }
      end

      private

      # A dump does not know the names of an object's variables: it may be one of them that grows.
      def confirmed(finding, holders)
        return unless finding[:variable]

        holders.any? || (unnamed?(finding) ? nil : false)
      end

      # Whether something grows in a variable, whose name is not known, of the object that the finding is about.
      def unnamed?(finding) = owner(finding) && @growing.any? { |holder| in_unnamed?(holder, owner(finding)) }

      def in_unnamed?(holder, owner) = @names[holder].any? { |name| name.match?(/\A#{Regexp.escape(owner)} → [^→]+\z/) }

      # "Shop::VISITS" of "Shop::VISITS.@visitors", if no other finding is about a variable of it.
      def owner(finding) = finding[:variable][/\A(.+)\.@\w+\z/, 1]

      def the_only_one?(finding)
        @owners ||= @findings.select { |it| it[:variable] }.map { |it| owner(it) }.tally
        @owners[owner(finding)] == 1
      end

      def holders_of(finding)
        named = holders_named(finding)
        return named if named.any? || finding[:variable].nil? || owner(finding).nil? || !the_only_one?(finding)

        @growing.select { |holder| in_unnamed?(holder, owner(finding)) }
      end

      def holders_named(finding)
        variables = [finding[:variable], *finding[:also]].compact
        @growing.select { |holder| @names[holder].any? { |name| variables.any? { |it| within?(name, it) } } }
      end

      def within?(name, variable)
        name == variable || (name.start_with?(variable) && name[variable.size..].start_with?(*INSIDE))
      end

      # What the holder is called, and what the objects on the way to it are.
      def names(holder)
        paths = [holder[:path], *holder[:other_paths]].compact
        on_the_way = paths.flat_map do |path|
          path.each_index.map { |position| Holders::Name.new({ path:, position: }).to_s }
        end
        [holder[:name], *on_the_way].compact.uniq
      end
    end
  end
end
