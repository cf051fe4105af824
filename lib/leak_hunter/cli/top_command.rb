# frozen_string_literal: true

module LeakHunter
  class CLI
    # `leak_hunter top 3.json`
    class TopCommand < HeapCommand
      include Report::Format

      BY = {
        "retained" => "Objects by retained size",
        "class" => "Classes by retained size of their instances",
        "bytes" => "Classes by size of their instances",
        "count" => "Classes by number of instances",
        "gem" => "Gems by size of the objects they allocated",
        "site" => "Allocation sites by size of their objects"
      }.freeze

      LIMIT = 20
      # In fewer columns than this, the numbers of a row stand below its name.
      NARROW = Report::Sites::NARROW

      # Of the sizes, those that a kind of rows has.
      COLUMNS = { count: "objects", memsize: "bytes", retained_size: "retained" }.freeze
      # What follows a number where there are no columns.
      UNITS = { count: " objects", retained_size: " retained" }.freeze

      def self.summary = "show what uses or retains most memory in a dump"

      private

      def define(parser)
        parser.banner = "Usage: leak_hunter top [OPTIONS] DUMP"
        parser.separator "\nShows what uses or retains most memory in a dump.\n\n"
        parser.on("--by WHAT", "#{BY.keys.join(", ")};", "default: retained") { |by| @by = one_of("by", by, BY.keys) }
        parser.on("--limit N", "rows; default: #{LIMIT}") { |number| @limit = positive("limit", number) }
        define_report(parser)
      end

      def execute(paths)
        raise UsageError, "top: expected one dump, got #{paths.size}" unless paths.size == 1

        @by ||= "retained"
        heap = load(paths.first)
        rows = heap.top(by: @by, limit: @limit || LIMIT)
        json? ? write_rows(heap, rows) : write_table(heap, rows)
      end

      def write_rows(heap, rows)
        rows = rows.map { |row| row[:object] ? { label: row[:object].label, **row.except(:object) } : row }
        write_json(dump: text(heap.path), objects: heap.size, memsize: heap.memsize, by: @by, rows:)
      end

      def write_table(heap, rows)
        whole = heap.memsize
        about = ["#{printable(heap.path)}: #{counted(heap.size, "object")}, #{bytes(whole)}", "#{BY.fetch(@by)}:"]
        lines = about.map { |text| wrap(text, width) }
        lines.push("", *(width < NARROW ? stacked(rows, whole) : table(rows, whole))) unless rows.empty?
        write_text(lines.join("\n"))
      end

      def columns_of(rows) = COLUMNS.keys.select { |column| rows.first.key?(column) }

      # Nothing is cut off: a row has as many lines as it takes.
      def stacked(rows, whole)
        columns = columns_of(rows)
        rows.flat_map do |row|
          numbers = columns.map { |column| "#{cell(column, row[column])}#{UNITS[column]}" }
          numbers << percent(row[columns.last], whole)
          names = [title(row, nil), row[:address]].compact.flat_map { |text| name_lines(text, width) }
          [*names, *wrap(numbers.join(", "), width - 2).split("\n").map { |line| "  #{line}" }]
        end
      end

      def table(rows, whole)
        columns = columns_of(rows)
        share = columns.last
        cells = rows.map { |row| columns.map { |column| cell(column, row[column]) } << percent(row[share], whole) }
        cells.unshift([*COLUMNS.values_at(*columns), "share"])
        widths = cells.transpose.map { |column| column.map(&:length).max + 2 }
        room = width - widths.sum
        head, *body = cells.zip([nil, *rows]).map do |line, row|
          numbers = line.zip(widths).map { |text, size| text.rjust(size) }.join
          "#{pad(row ? title(row, room) : "", room)}#{numbers}"
        end
        [style.paint(head, :dim), *body]
      end

      def cell(column, number) = column == :count ? count(number) : bytes(number)

      # @param room [Integer, nil] columns; nil for all of it
      def title(row, room)
        return printable(row[:object].label) if @by == "retained" && room.nil?

        room ||= Report::Text::WIDTHS.end
        case @by
        when "retained" then object_title(row, room)
        when "gem" then shorten(printable(row[:gem] || "no gem, or not traced"), room)
        when "site" then site_title(row, room)
        else shorten_left(printable(row[:class] || "internal objects of the VM"), room)
        end
      end

      # With the address, which `why` takes.
      def object_title(row, room)
        address = "  #{row[:address]}"
        name = shorten_left(printable(row[:object].label), room - address.length)
        "#{pad(name, room - address.length)}#{address}"
      end

      def site_title(row, room)
        return "not traced" unless row[:file]

        group = Report::Group.new(row)
        detail = group.detail(room / 2).to_s
        shorten_left("#{shorten_left(group.title, room - columns(detail) - 1)} #{detail}".rstrip, room)
      end
    end
  end
end
