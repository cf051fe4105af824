# frozen_string_literal: true

module LeakHunter
  class CLI
    # Shortest root paths as text, a line for each step: the reference that leads there, the object, what it retains,
    # and where it was allocated.
    class WhyReport
      include Report::Format

      INDENT = "  "
      RETAINED = 10
      # Longer repetitions, as of a linked list, are shown as the first and the last of them.
      RUN = 4

      # References that have no name.
      EDGES = {
        "class" => "(its class)", "array_element" => "[...]", "hash_entry" => "{...}", "hash_key" => "{key}",
        "instance_variable" => "@...", "struct_member" => ".member", "captured" => "(captured)"
      }.freeze

      # In fewer columns than this, what is known of a step stands below it.
      NARROW = Report::Sites::NARROW

      # @param paths [RootPaths]
      def initialize(paths, style:, width:, limit:)
        @paths = paths
        @style = style
        @width = width
        @limit = limit
      end

      # @return [String]
      def to_s
        shown = @paths.first(@limit)
        parts = shown.map { |path| "#{headline(path)}\n\n#{steps(path)}" }
        parts.unshift(summary) if @paths.count > 1
        parts << more(shown) if @paths.size > shown.size
        parts.join("\n\n")
      end

      private

      def summary
        what = "#{counted(@paths.count, "object")}, #{bytes(@paths.memsize)}."
        sampled = @paths.looked_at < @paths.count ? "#{count(@paths.looked_at)} sampled: " : ""
        paths = @paths.size == 1 ? "all have the same shortest root path." : different
        wrap("#{what} #{sampled.empty? ? paths.capitalize : sampled + paths}", @width)
      end

      def different = "#{count(@paths.size)} different shortest root paths."

      def more(shown)
        rest = @paths.looked_at - shown.sum(&:alike)
        wrap("#{counted(@paths.size - shown.size, "more path")} to #{counted(rest, "object")} (--limit shows more).",
             @width)
      end

      def headline(path)
        object = path.object
        lines = title(path)
        details = [sizes(path), others(path), site(object), dominator(object)]
        lines.concat(details.compact.flat_map { |text| lines_of(text) })
        lines.join("\n")
      end

      def narrow? = @width < NARROW

      def title(path)
        object = path.object
        name = printable(object.label)
        name = shorten_left(name, @width - 38) unless narrow?
        like = "#{counted(path.alike, "object")} like " if @paths.count > 1
        return ["#{like}#{@style.paint(name, :bold)} at #{object.address}"] unless narrow?

        wrap("#{like}#{name} at #{object.address}", @width).split("\n").map { |line| @style.paint(line, :bold) }
      end

      def lines_of(text)
        lines = wrap(text.gsub(/(?<=\d) (?=objects?\b)/, BOUND), @width - INDENT.length)
        lines.split("\n").map { |line| "#{INDENT}#{line}" }
      end

      def sizes(path)
        object = path.object
        by = path.only_by_root? ? "a root" : counted(object.referrers.size, "object")
        "#{bytes(object.memsize)}, retains #{bytes(object.retained_size)}; referenced by #{by}"
      end

      # Removing it from where the path leads does not free it.
      def others(path)
        others = path.other_referrers
        return if others.empty?

        shown = others.first(RootPaths::OTHERS).map { |object| "#{printable(object.label)} at #{object.address}" }
        more = others.size - shown.size
        shown << "#{count(more)} more" if more.positive?
        "also referenced by #{shown.join(", ")}"
      end

      def site(object)
        group = group_of(object)
        group && "allocated at #{group.detail(narrow? ? nil : @width - 15)}"
      end

      def dominator(object)
        dominator = object.dominator or return "dominator: none; no single object keeps it alive"
        "dominator: #{printable(dominator.label)} at #{dominator.address}, " \
          "retains #{bytes(dominator.retained_size)}"
      end

      def group_of(object)
        site = object.site
        site && Report::Group.new({ class: object.class_name, **site })
      end

      def steps(path)
        rows = path.steps.map { |step| row(step) }
        @places = rows.any? { |row| row[:place] } ? @width / 3 : 0
        lines = fold(rows).flat_map { |row| row.is_a?(String) ? gap(row) : line(row) }
        [*indented(root(path.steps.first[:edge])), *lines].join("\n")
      end

      def root(edge) = edge[:kind] == "root" ? "root #{printable(edge[:name])}" : "root"

      def row(step)
        object = @paths.heap.find(step[:address])
        edge = edge(step[:edge])
        # without the name that the edge has shown
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

      # A long repetition becomes its first cycle, how often that is repeated, and the last.
      def fold(rows)
        parts = Repetition.parts(rows) { |row| [row[:edge].sub(/\A\[\d+\]\z/, "[]"), row[:label], row[:gap]] }
        parts.flat_map do |index, period, times|
          all = rows[index, period * times]
          all.size > RUN && times > 2 ? [*all.first(period), repeated(period, times - 2), *all.last(period)] : all
        end
      end

      def repeated(period, times)
        period == 1 ? "#{count(times)} more of these" : "these #{period} steps #{counted(times, "more time")}"
      end

      def gap(words) = indented("... #{words}")

      def indented(text, indent = INDENT, style = :dim)
        wrap(text, @width - indent.length).split("\n").map { |line| "#{indent}#{@style.paint(line, *style)}" }
      end

      def line(row) = [*(gap("some steps left out") if row[:gap]), *(narrow? ? lines_below(row) : in_columns(row))]

      # Nothing is cut off.
      def lines_below(row)
        name = [row[:edge], row[:label]].reject(&:empty?).join("  ")
        about = [bytes(row[:object].retained_size), row[:place]].compact.join(", ")
        [*indented(name, INDENT, nil), *indented(about, INDENT * 2)]
      end

      def in_columns(row)
        room = @width - INDENT.length - RETAINED - @places - 2
        edge = shorten(row[:edge], room / 2)
        left = edge.empty? ? "" : "#{edge}  "
        label = shorten_left(row[:label], room - columns(left))
        padding = " " * [room - columns(left) - columns(label), 0].max
        place = shorten_left(row[:place] || "", @places)
        retained = bytes(row[:object].retained_size).rjust(RETAINED)
        step = "#{@style.paint(left, :dim)}#{label}#{padding}#{retained}  #{@style.paint(place, :dim)}"
        "#{INDENT}#{step}".rstrip
      end

      def place(object) = group_of(object)&.place
    end
  end
end
