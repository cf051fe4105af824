# frozen_string_literal: true

module LeakHunter
  class Report
    # The holders of a result by what they do: those that grow, those of which it is not known, and the others. Those
    # with too few objects to tell are among the others: a few stay in any process.
    class Findings
      GROWING = "growing"
      INCONCLUSIVE = "inconclusive"
      TOO_FEW = "too_few"

      # Bytes that an entry of a collection takes at least.
      WORD = 8
      # The kind of what is reported here like a holder, and is in `result[:grown_in_place]`.
      IN_PLACE = "grown_in_place"

      # @return [Array<Hash>] see {LeakHunter::Holders}; the order is the result's: what grows most comes first, what
      #   grows in place comes last
      attr_reader :growing, :inconclusive, :others

      # @param grown [Hash] of `result[:grown_in_place]`
      # @return [Hash] the same as a holder that keeps what it grew by
      def self.in_place(grown)
        unit = grown[:unit] == "bytes" ? 1 : WORD
        changes = grown[:growth].each_cons(2).map { |before, after| after.to_i - before.to_i }
        births = [grown[:growth].first.to_i, *changes].map { |count| { count:, memsize: [count, 0].max * unit } }
        kept = [changes.first(changes.size - 1).sum, 0].max
        { **grown, kind: IN_PLACE, alike: 1, count: kept, memsize: kept * unit, births:, groups: [], together: [] }
      end

      # @param holder [Hash]
      # @return [String] its verdict, or that it has too few objects for one
      def self.kind(holder)
        name, reason = holder.fetch(:verdict).values_at(:name, :reason)
        reason == TOO_FEW ? reason : name
      end

      # @param result [Hash] of a diff with holders
      def initialize(result)
        in_place = result[:grown_in_place].to_a.map { |grown| Findings.in_place(grown) }
        by_kind = [*result[:holders], *in_place].group_by { |holder| Findings.kind(holder) }
        @growing = by_kind.delete(GROWING) || []
        @inconclusive = by_kind.delete(INCONCLUSIVE) || []
        @others = by_kind.values.flatten(1)
      end

      # @return [Array<Hash>] what a reader must see: the leaks, or, where there are none, what may be one
      def first = growing.empty? ? inconclusive : growing

      # @return [Array<Hash>] all of them, what must be seen first
      def all = [*growing, *inconclusive, *others]

      # @return [Integer] bytes that came in all windows to what grows
      def grown_by = growing.sum { |holder| Findings.windows(holder).sum { |window| window[:memsize] } }

      # @return [Integer] index in the holder's path of the collection that decided the verdict: the holder, or one that
      #   it holds
      def self.position_of_growth(holder)
        path, position = holder.values_at(:path, :position)
        collections = (position...path.size).select { |index| path[index][:growth] }
        level = holder.dig(:verdict, :level).to_i
        level.zero? ? position : collections[level] || position
      end

      # @return [Array<Hash>] `:count` and `:memsize` of what was allocated in each window and stayed
      def self.windows(holder) = holder[:births].drop(1)
    end
  end
end
