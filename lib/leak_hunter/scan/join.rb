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
          holder = holder_of(finding)
          used[holder] = true if holder
          finding.merge(confirmed: finding[:variable] && !holder.nil?, holder: holder && holder[:name])
        end
        first, rest = joined.partition { |finding| finding[:confirmed] }
        { findings: first + rest, holders: @growing.reject { |holder| used[holder] } }
      end

      private

      def holder_of(finding)
        variables = [finding[:variable], *finding[:also]].compact
        @growing.find { |holder| @names[holder].any? { |name| variables.any? { |variable| within?(name, variable) } } }
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
