# frozen_string_literal: true

module LeakHunter
  class Report
    # The groups of leaked objects as a table: what they are, how many, where they were allocated.
    class Sites
      include Format

      INDENT = "  "

      # The VM's inline caches, one for each call in code that has run: many small groups, one harmless reason.
      CACHES = %w[callcache callinfo constcache VM/cc_table].freeze

      # @param top [Integer, nil] groups to show; nil shows all
      def initialize(result, style:, width:, top:)
        @result = result
        @totals = result[:totals]
        @style = style
        @width = width
        @caches, groups = result[:groups].partition { |group| cache?(group) && !held?(group) }
        @groups = top ? groups.first(top) : groups
      end

      # @return [String, nil] nil where there is none
      def to_s
        return if @result[:groups].empty?

        rows = @groups.map { |group| row(group) }
        sums = sum_rows
        widths = column_widths([header, *rows, *sums].map { |row| row[:cells] })
        lines = [line(header, widths, :dim)]
        rows.each { |row| lines.push(line(row, widths, :bold), *detail(row)) }
        lines.push(*sums.map { |row| line(row, widths) })
        lines.join("\n")
      end

      private

      def header = { title: "", cells: ["objects", "bytes", "share", "age (GCs)"] }

      def row(group)
        words = Group.new(group, third_generation: @result[:dumps].last[:generation])
        { title: words.title, words:, cells: cells(group[:count], group[:memsize], words.age) }
      end

      def cells(count, memsize, age)
        [count(count), bytes(memsize), percent(memsize, @totals[:memsize]), age]
      end

      def cache?(group) = %w[IMEMO DATA].include?(group[:type]) && CACHES.include?(group[:class])

      # Whether a holder accounts for some of it.
      def held?(group) = @result[:holders] && group[:cache_count].to_i < group[:count]

      def cache_row
        return if @caches.empty?

        title = "#{counted(@caches.size, "group")} of VM inline caches"
        { title:, cells: cells(sum(@caches, :count), sum(@caches, :memsize), "") }
      end

      # What is not shown, and the total.
      def sum_rows
        rows = [more_row, cache_row].compact
        groups, count, memsize = @totals.values_at(:groups, :count, :memsize)
        return rows if rows.size + @groups.size == 1

        [*rows, { title: "all #{counted(groups, "group")}", cells: cells(count, memsize, "") }]
      end

      def more_row
        shown = @groups + @caches
        more = @totals[:groups] - shown.size
        return if more.zero?

        cells = cells(@totals[:count] - sum(shown, :count), @totals[:memsize] - sum(shown, :memsize), "")
        { title: "#{count(more)} more", cells: }
      end

      def sum(groups, key) = groups.sum { |group| group[key] }

      def column_widths(cells) = cells.transpose.map { |column| column.map(&:length).max }

      def line(row, widths, *styles)
        numbers = row[:cells].zip(widths).map { |cell, width| cell.rjust(width + 2) }.join
        room = @width - numbers.length
        title = row[:title].include?("::") ? shorten_left(row[:title], room) : shorten(row[:title], room)
        "#{@style.paint(title, *styles)}#{" " * [room - columns(title), 0].max}#{numbers}".rstrip
      end

      def detail(row)
        detail = row[:words].detail(@width - INDENT.length)
        [@style.paint("#{INDENT}#{detail}", :dim)] if detail
      end
    end
  end
end
