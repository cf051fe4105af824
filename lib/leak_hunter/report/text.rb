# frozen_string_literal: true

module LeakHunter
  class Report
    # The report for people: what leaked in a sentence, what holds it, the groups as a table, and how certain that is.
    class Text
      include Format

      WIDTHS = (Terminal::MIN_WIDTH..100_000)
      # Columns that the table needs.
      COLUMNS = 60
      INDENT = "  "

      # The VM's inline caches, one for each call in code that has run: many small groups, one harmless reason.
      CACHES = %w[callcache callinfo constcache VM/cc_table].freeze

      def initialize(result, color:, width:, top:, holders:)
        Arguments.integer(:top, top, Diff::Options::TOP, optional: true)
        Arguments.integer(:holders, holders, Diff::Options::TOP, optional: true)
        @result = result
        @totals = result[:totals]
        @style = Terminal::Style.new(color)
        @width = width
        @holders = holders
        @caches, groups = result[:groups].partition { |group| cache?(group) && !held?(group) }
        @groups = top ? groups.first(top) : groups
      end

      def to_s
        parts = [headline, holders].compact
        parts << table unless @result[:groups].empty?
        parts << wrap(Evidence.new(@result).to_s, @width)
        "#{parts.join("\n\n")}\n"
      end

      private

      def headline
        return wrap(nothing, @width) if @totals[:count].zero?

        sentence = wrap([found, share_of_heap, filtered].compact.join(" "), @width)
        # the figures, which are short enough never to be broken
        sentence.sub(/\A\S+ \S+/) { |figure| @style.paint(figure, :bold) }
      end

      def nothing
        return "No leak found among the objects that pass the filters. #{filtered}" if filtered
        return "No leak found, but this is not certain: see which objects were left out." if withheld?

        "No leak found: no object that was allocated between the first and the second dump is still alive in the " \
          "third. Memory that C extensions allocate outside Ruby's heap is not in a dump."
      end

      # Those that matter; the table has the rest.
      def holders
        return unless @result[:holders]

        Holders.new(@result, style: @style, width: @width, top: @holders).to_s
      end

      def withheld? = @result.dig(:evidence, :withheld).to_h.values.any?(&:positive?)

      def found
        what = "#{counted(@totals[:count], "object")} (#{bytes(@totals[:memsize])})"
        one = @totals[:count] == 1
        if @result[:identity] == "address"
          "#{what} #{one ? "is" : "are"} in the second and the third dump at an address that is free in the first."
        else
          "#{what} #{one ? "was" : "were"} allocated between the first and the second dump and " \
            "#{one ? "is" : "are"} still alive in the third."
        end
      end

      def share_of_heap
        heap = @totals[:third_memsize]
        return unless heap&.positive?

        "That is #{percent(@totals[:memsize], heap)} of the heap (#{bytes(heap)})."
      end

      def filtered
        filtered = @totals[:filtered_count].to_i
        return if filtered.zero?

        "The filters left out #{counted(filtered, "object")} (#{bytes(@totals[:filtered_memsize])})."
      end

      def table
        rows = @groups.map { |group| row(group) }
        sums = sum_rows
        widths = column_widths([header, *rows, *sums].map { |row| row[:cells] })
        lines = [line(header, widths, :dim)]
        rows.each { |row| lines.push(line(row, widths, :bold), *detail(row)) }
        lines.push(*sums.map { |row| line(row, widths) })
        lines.join("\n")
      end

      def header = { title: "", cells: ["objects", "bytes", "share", "age (GCs)"] }

      def row(group)
        words = Group.new(group, third_generation: @result.dig(:dumps, 2, :generation))
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
