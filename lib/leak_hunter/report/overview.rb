# frozen_string_literal: true

module LeakHunter
  class Report
    # Which holders a report shows, and how it sums up the others. For text, HTML and Markdown alike.
    class Overview
      include Format

      # Of what is summed up, so many are named.
      EXAMPLES = 3

      # What is said of holders that are not shown, by {Findings.kind}.
      TITLES = { "growing" => "Growing, too", "inconclusive" => "Not certain", "once" => "Stopped growing",
                 "replaced" => "Entries are replaced", "draining" => "Shrinking",
                 "too_few" => "Too few objects to tell" }.freeze

      # Holders of one verdict: what is said of them, and they themselves.
      Fold = Struct.new(:title, :text, :holders, keyword_init: true)

      # @param result [Hash] of a diff with holders
      # @param top [Integer, nil] how many to show of those that grow, or may; nil shows all, also those that do not
      def initialize(result, top:)
        @result = result
        findings = Findings.new(result)
        shown = top ? findings.first.first(top) : findings.all
        @shown = shown.map { |holder| Holder.new(holder, result) }
        @rest = (findings.all - shown).map { |holder| Holder.new(holder, result) }.group_by(&:kind)
      end

      # @return [Array<Holder>]
      attr_reader :shown

      # @return [Array<Fold>]
      def folded
        folds = TITLES.filter_map do |verdict, title|
          holders = @rest[verdict] or next
          Fold.new(title:, text: sum(holders), holders:)
        end
        [*folds, caches].compact
      end

      private

      def sum(holders)
        named = holders.max_by(EXAMPLES, &:memsize).map { |holder| "#{holder.name} #{bytes(holder.memsize)}" }
        named << "…" if holders.size > EXAMPLES
        "#{counted(holders.size, "holder")}, #{bytes(holders.sum(&:memsize))} (#{named.join(", ")})"
      end

      # Nobody holds them, so that they are in no other sum.
      def caches
        caches = Groups.caches(@result) or return

        text = "#{counted(caches.objects, "object")}, #{bytes(caches.memsize)}"
        Fold.new(title: caches.title, text:, holders: [])
      end
    end
  end
end
