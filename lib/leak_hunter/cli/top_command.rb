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

      # Of the sizes, those that a kind of rows has.
      COLUMNS = { count: "objects", memsize: "bytes", retained_size: "retained" }.freeze

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
        name = shorten_left(printable(heap.path), wide - 40)
        lines = ["#{name}: #{counted(heap.size, "object")}, #{bytes(whole)}", "#{BY.fetch(@by)}:", ""]
        unless rows.empty?
          head, *body = table(rows, whole)
          lines.push(style.paint(head, :dim), *body)
        end
        write_text(lines.join("\n"))
      end

      def table(rows, whole)
        columns = COLUMNS.keys.select { |column| rows.first.key?(column) }
        share = columns.last
        cells = rows.map { |row| columns.map { |column| cell(column, row[column]) } << percent(row[share], whole) }
        cells.unshift([*COLUMNS.values_at(*columns), "share"])
        widths = cells.transpose.map { |column| column.map(&:length).max + 2 }
        room = wide - widths.sum
        cells.zip([nil, *rows]).map do |line, row|
          numbers = line.zip(widths).map { |text, size| text.rjust(size) }.join
          "#{pad(row ? title(row, room) : "", room)}#{numbers}"
        end
      end

      def cell(column, number) = column == :count ? count(number) : bytes(number)

      def title(row, room)
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
