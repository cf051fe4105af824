# frozen_string_literal: true

module LeakHunter
  class CLI
    class WhyCommand
      # The ways to some objects as text, a line for each step: how the one before refers to it, what it is, what it
      # retains, and where it was made.
      class Answer
        include Report::Format

        INDENT = "  "
        RETAINED = 10
        # Steps that are alike, as in a linked list, are told as one from so many on.
        RUN = 4

        # How one object refers to the next, where there is no name.
        EDGES = {
          "class" => "(its class)", "array_element" => "[...]", "hash_entry" => "{...}", "hash_key" => "{key}",
          "instance_variable" => "@...", "struct_member" => ".member", "captured" => "(captured)"
        }.freeze

        def initialize(ways, color:, width:, limit:)
          @ways = ways
          @color = color
          @width = width
          @limit = limit
        end

        # @return [String]
        def to_s
          ways = @ways.first(@limit)
          parts = ways.map { |way| "#{headline(way)}\n\n#{steps(way)}" }
          parts.unshift(summary) if @ways.count > 1
          parts << more(ways) if @ways.size > ways.size
          parts.join("\n\n")
        end

        private

        def summary
          looked_at = @ways.looked_at
          what = "#{counted(@ways.count, "object")}, #{bytes(@ways.memsize)}."
          seen = looked_at < @ways.count ? "Of #{count(looked_at)} that were looked at, " : ""
          ways = @ways.size == 1 ? "all are held in one way" : "they are held in #{count(@ways.size)} different ways"
          wrap("#{what} #{seen.empty? ? ways.capitalize : seen + ways}:", @width)
        end

        def more(ways)
          rest = @ways.looked_at - ways.sum(&:alike)
          "#{counted(@ways.size - ways.size, "other way")} to #{counted(rest, "object")}: see --limit."
        end

        def headline(way)
          object = way.object
          name = @color.paint(shorten_left(printable(object.label), @width - 38), :bold)
          name = "#{counted(way.alike, "object")} like #{name}" if @ways.count > 1
          lines = ["#{name} at #{object.address}"]
          lines.concat([sizes(object), made(object), dominator(object)].compact.flat_map { |text| lines_of(text) })
          lines.join("\n")
        end

        def lines_of(text)
          lines = wrap(text.gsub(/(?<=\d) (?=objects?\b)/, BOUND), @width - INDENT.length)
          lines.split("\n").map { |line| "#{INDENT}#{line}" }
        end

        def sizes(object)
          referrers = object.referrers.size
          held = referrers == 1 ? "1 object refers to it" : "#{count(referrers)} objects refer to it"
          "#{bytes(object.memsize)}, retains #{bytes(object.retained_size)}; #{held}"
        end

        def made(object)
          group = group_of(object)
          group && "made at #{group.detail(@width - 12)}"
        end

        def dominator(object)
          dominator = object.dominator or return "no single object keeps it alive"
          "free once #{printable(dominator.label)} at #{dominator.address} is, " \
            "which retains #{bytes(dominator.retained_size)}"
        end

        def group_of(object)
          site = object.site
          site && Report::Group.new({ class: object.class_name, **site })
        end

        def steps(way)
          rows = way.path.map { |step| row(step) }
          @places = rows.any? { |row| row[:place] } ? @width / 3 : 0
          lines = fold(rows).flat_map { |row| row.is_a?(Integer) ? gap(count(row)) : line(row) }
          ["#{INDENT}#{@color.paint(root(way.path.first[:edge]), :dim)}", *lines].join("\n")
        end

        def root(edge) = edge[:kind] == "root" ? "root #{printable(edge[:name])}" : "root"

        def row(step)
          object = @ways.heap.find(step[:address])
          edge = edge(step[:edge])
          # the name is told already
          label = step[:edge][:name] && !edge.empty? ? object.class_name || object.type : object.label
          { edge:, label: printable(label), object:, place: place(object), gap: step[:edge][:kind] == "gap" }
        end

        def edge(edge)
          name = edge[:name] && printable(edge[:name])
          case edge[:kind]
          when "root" then ""
          when "constant" then "::#{name}"
          when "fiber_local" then "thread-local :#{name}"
          when "thread_variable" then "thread variable :#{name}"
          else name || EDGES.fetch(edge[:kind], "")
          end
        end

        # A long run of the same becomes its first, how many more, and its last.
        def fold(rows)
          runs = rows.chunk_while { |one, other| one.values_at(:edge, :label) == other.values_at(:edge, :label) }
          runs.flat_map { |run| run.size > RUN ? [run.first, run.size - 2, run.last] : run }
        end

        def gap(number) = "#{INDENT}#{@color.paint("... #{number} more of these", :dim)}"

        def line(row)
          room = @width - INDENT.length - RETAINED - @places - 2
          edge = shorten(row[:edge], room / 2)
          left = edge.empty? ? "" : "#{edge}  "
          label = shorten_left(row[:label], room - columns(left))
          padding = " " * [room - columns(left) - columns(label), 0].max
          place = shorten_left(row[:place] || "", @places)
          retained = bytes(row[:object].retained_size).rjust(RETAINED)
          step = "#{@color.paint(left, :dim)}#{label}#{padding}#{retained}  #{@color.paint(place, :dim)}"
          [*(gap("some") if row[:gap]), "#{INDENT}#{step}".rstrip]
        end

        def place(object) = group_of(object)&.place&.then { |place| printable(place) }
      end
    end
  end
end
