# frozen_string_literal: true

module LeakHunter
  class Report
    # The groups of leaked objects as rows of a table, for text, HTML and Markdown alike. The VM's inline caches, one
    # for each call in code that has run, are taken out of their groups and summed up in a row: the diff says which they
    # are.
    class Groups
      include Format

      # What the row of the caches is called, here and where holders are summed up.
      CACHES = "VM inline caches"

      # A row. `words` is what is known of a group; nil of a sum.
      Row = Struct.new(:title, :words, :objects, :memsize, keyword_init: true)

      # @param result [Hash] of a diff
      # @return [Row, nil] its inline caches; nil where there are none
      def self.caches(result)
        count, memsize = result[:totals].values_at(:cache_count, :cache_memsize)
        Row.new(title: CACHES, objects: count, memsize: memsize.to_i) if count.to_i.positive?
      end

      # What is left of a group without its inline caches.
      #
      # @param group [Hash] of a diff
      # @return [Hash]
      def self.without_caches(group)
        count, memsize = group.values_at(:cache_count, :cache_memsize)
        group.merge(count: group[:count] - count.to_i, memsize: group[:memsize] - memsize.to_i)
      end

      # @param result [Hash] of a diff
      # @param top [Integer, nil] groups to show; nil shows all
      def initialize(result, top:)
        @totals = result[:totals]
        @caches = Groups.caches(result)
        @generation = result[:dumps].last[:generation]
        @groups = largest(result).first(top || result[:groups].size)
      end

      # @return [Array<Row>] the groups that are shown
      def shown
        @shown ||= @groups.map do |group|
          words = Group.new(group, third_generation: @generation)
          Row.new(title: words.title, words:, objects: group[:count], memsize: group[:memsize])
        end
      end

      # @return [Array<Row>] what is not shown, the inline caches, and all together; the last only where there is more
      #   than one row
      def sums
        rows = [more, @caches].compact
        groups, count, memsize = @totals.values_at(:groups, :count, :memsize)
        return rows if shown.size + rows.size < 2

        [*rows, Row.new(title: "all #{counted(groups, "group")}", objects: count, memsize:)]
      end

      # @return [String] its share of all bytes
      def share(row) = percent(row.memsize, @totals[:memsize])

      private

      # Without its caches a group may be smaller than the next.
      def largest(result)
        groups = result[:groups].map { |group| Groups.without_caches(group) }.reject { |group| group[:count].zero? }
        return groups unless @caches

        size = result[:sort].to_sym
        groups.each_with_index.sort_by { |group, index| [-group[size], index] }.map(&:first)
      end

      def more
        number = @totals[:groups] - shown.size - @totals[:cache_groups].to_i
        return unless number.positive?

        others = [*shown, @caches].compact
        Row.new(title: "#{count(number)} more", objects: @totals[:count] - others.sum(&:objects),
                memsize: @totals[:memsize] - others.sum(&:memsize))
      end
    end
  end
end
