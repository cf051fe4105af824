# frozen_string_literal: true

module LeakHunter
  class RakeTask
    # How much one holder that grows may gain. Where nothing is known of holders: how much one group of survivors may
    # retain.
    class Budget
      LIMITS = { objects: :count, bytes: :memsize }.freeze

      # @param limits [Hash{Symbol => Integer}, Integer, nil] see {RakeTask#budget}
      # @param rounds [Integer]
      def initialize(limits, rounds:)
        @limits =
          case limits
          when nil then { objects: rounds - 1 }
          when Integer then { objects: limits }
          else limits
          end
        return if valid?

        raise UsageError, "budget: expected { objects: 0 }, { bytes: 0 }, both, or a number of objects, " \
                          "got #{limits.inspect}"
      end

      # @return [Array<Hash>] the holders, or groups, of a result that retain more
      def exceeded_by(result)
        counted = result[:holders] ? Report::Findings.new(result).growing : groups(result)
        # of batches of rounds, all but the last one's objects are in the result
        batches = result[:dumps].size - 2
        counted.select do |item|
          @limits.any? { |name, limit| item[LIMITS.fetch(name)] > limit * batches }
        end
      end

      def to_s
        @limits.map { |name, limit| Report::Format.counted(limit, name.name.delete_suffix("s")) }.join(" and ")
      end

      private

      def groups(result)
        result[:groups].map { |group| Report::Groups.without_caches(group) }.reject { |group| group[:count].zero? }
      end

      def valid?
        @limits.is_a?(Hash) && @limits.any? && (@limits.keys - LIMITS.keys).empty? &&
          @limits.values.all? { |limit| limit.is_a?(Integer) && !limit.negative? }
      end
    end
  end
end
