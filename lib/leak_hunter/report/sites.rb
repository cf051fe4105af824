# frozen_string_literal: true

module LeakHunter
  class Report
    # The groups of leaked objects as a table of text: what they are, how many, where they were allocated.
    class Sites
      include Format

      INDENT = "  "
      HEADER = ["objects", "bytes", "share", "age (GCs)"].freeze
      # In fewer columns than this, the numbers of a row stand below its name.
      NARROW = 60

      # @param top [Integer, nil] groups to show; nil shows all
      def initialize(result, style:, width:, top:)
        @groups = Groups.new(result, top:)
        @empty = result[:groups].empty?
        @style = style
        @width = width
      end

      # @return [String, nil] nil where there is none
      def to_s
        return if @empty

        (@width < NARROW ? stacked : table).join("\n")
      end

      private

      def cells(row) = [count(row.objects), bytes(row.memsize), @groups.share(row), row.words&.age.to_s]

      def table
        rows = [*@groups.shown, *@groups.sums]
        widths = [HEADER, *rows.map { |row| cells(row) }].transpose.map { |column| column.map(&:length).max + 2 }
        shown = @groups.shown.flat_map { |row| [line(row.title, cells(row), widths, :bold), *detail(row)] }
        [line("", HEADER, widths, :dim), *shown, *@groups.sums.map { |row| line(row.title, cells(row), widths) }]
      end

      def line(title, cells, widths, *styles)
        numbers = cells.zip(widths).map { |cell, width| cell.rjust(width) }.join
        room = @width - numbers.length
        title = title.include?("::") ? shorten_left(title, room) : shorten(title, room)
        "#{@style.paint(title, *styles)}#{" " * [room - columns(title), 0].max}#{numbers}".rstrip
      end

      def detail(row)
        detail = row.words.detail(@width - INDENT.length)
        [*(@style.paint("#{INDENT}#{detail}", :dim) if detail), *origins(row)]
      end

      def origins(row)
        row.words.origins.flat_map do |name, text|
          wrap("#{name} #{text}", @width - INDENT.length).split("\n").map do |line|
            "#{INDENT}#{@style.paint(line, :dim)}"
          end
        end
      end

      # Nothing is cut off: each row has as many lines as it takes.
      def stacked
        shown = @groups.shown.flat_map do |row|
          [*folded(row.title, "", :bold), *folded(row.words.detail(nil).to_s, INDENT, :dim), *origins(row),
           *numbers(row)]
        end
        [*shown, *@groups.sums.flat_map { |row| [*folded(row.title, ""), *numbers(row)] }]
      end

      def folded(name, indent, *styles)
        return [] if name.empty?

        name_lines(name, @width - indent.length).map { |line| "#{indent}#{@style.paint(line, *styles)}" }
      end

      def numbers(row)
        objects, bytes, share, age = cells(row)
        text = "#{objects} #{row.objects == 1 ? "object" : "objects"}, #{bytes}, #{share}"
        text << ", age #{age} GCs" if age.match?(/\d/)
        wrap(text, @width - INDENT.length).split("\n").map { |line| "#{INDENT}#{line}" }
      end
    end
  end
end
