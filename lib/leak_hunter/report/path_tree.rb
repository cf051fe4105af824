# frozen_string_literal: true

module LeakHunter
  class Report
    # The path from a root through a holder to what it keeps, a step on each line:
    #
    #   Shop::Audit
    #   └ TRAIL    Array, 900 entries   +300, +300
    #     └ [n]    Shop::Event
    class PathTree
      include Format

      # One line. `depth` is its indent in steps, `edge` how the step before refers to it.
      Line = Struct.new(:depth, :edge, :label, :note, keyword_init: true)

      # Lines of the longest path. The middle of a longer one is left out.
      MOST = 9
      # Columns that the edges of a path may take, with their indents.
      EDGES = 34
      # In fewer columns than this, steps are indented by one each.
      NARROW = 40

      # Edges whose kind says what they are.
      WORDS = { "class" => "class", "hash_entry" => "[…]", "hash_key" => "key", "reference" => "·",
                "instance_variable" => "@…", "class_variable" => "@@…", "struct_member" => ".…",
                "captured" => "local", "fiber_local" => "thread-local",
                "thread_variable" => "thread variable", "fiber_storage" => "fiber storage" }.freeze
      # What is shown by its name alone.
      NAMED = %w[constant instance_variable class_variable global struct_member hash_value array_element].freeze

      COUNTED = { "HASH" => %w[key keys], "ARRAY" => %w[entry entries] }.freeze

      # @param holder [Hash] see {LeakHunter::Holders}
      # @param roots [Hash{String => String}] words for the categories of roots
      def initialize(holder, roots:)
        @path, @position = holder.values_at(:path, :position)
        @grown = Findings.position_of_growth(holder)
        @roots = roots
      end

      # @return [Array<Line>]
      def lines
        steps = visible
        lines = steps.map.with_index do |(step, index), depth|
          Line.new(depth:, edge: (edge(step, index) unless depth.zero?), label: label(step, depth),
                   note: (note(step) if index <= @grown))
        end
        shorten_middle(lines, steps.index { |_, index| index == @position } || 0)
      end

      # @param width [Integer] columns
      # @return [Array<String>] as text; no line is wider, and nothing is cut off. What does not fit beside its edge
      #   stands below it
      def to_text(width)
        lines = self.lines
        step = width < NARROW ? 1 : 2
        rows = lines.map { |line| [start(line, step), [printable(line.label), line.note].compact.join("  ")] }
        first, *rest = rows
        beside = rest.map { |start, label| columns(start) if columns(start) + 1 + columns(label) <= width }
        column = beside.compact.select { |size| size <= EDGES }.max.to_i
        [*hanging(first.last, "", "", width), *rest.flat_map { |start, label| text(start, label, column, width) }]
      end

      private

      # Object is no step on the way to constants of no module, nor is what has a thread.
      def visible
        anchor = LeakHunter::Holders::Name.anchor(@path, @position) ||
                 @path.first(@position + 1).rindex { |step| step[:class] == "Thread" } || 0
        steps = @path.each_with_index.drop(anchor).select { |step, _| LeakHunter::Holders::Name.visible?(step) }
        steps.shift if steps.size > 1 && steps.first.first[:class] == "Object"
        steps
      end

      # The index or key of what grows would be that of one entry of many.
      def edge(step, index)
        kind, name = step[:edge].values_at(:kind, :name)
        return gap(step) if kind == "gap"
        return "[n]" if kind == "array_element" && (index > @position || name.nil?)
        return "[…]" if kind == "hash_value" && (index > @position || name.nil?)
        return WORDS.fetch(kind, kind) unless name

        NAMED.include?(kind) ? name : "#{WORDS.fetch(kind, kind)} #{name}"
      end

      def gap(step) = "… #{counted(step[:edge][:omitted].to_i, "step")} …"

      def label(step, depth)
        return @roots.fetch(step[:class], step[:class]) if step[:type] == "ROOT"
        return "#{start_of(step)}#{name_of(step)}" if depth.zero?

        name_of(step)
      end

      # A path may begin with what a constant of no module, a global variable or a thread's local refers to.
      def start_of(step)
        kind, name = step[:edge].values_at(:kind, :name)
        return "" if %w[CLASS MODULE].include?(step[:type]) || kind == "root" || name.nil?

        NAMED.include?(kind) ? "#{name} " : "#{WORDS.fetch(kind, kind)} #{name} "
      end

      def name_of(step)
        thread = " #{step[:thread]}" if step[:thread]
        "#{step[:class]}#{thread}#{length(step)}#{" (another class has replaced it)" if step[:old]}"
      end

      def length(step)
        length = step[:growth]&.last
        return unless length

        one, many = COUNTED.fetch(step[:type], %w[entry entries])
        ", #{count(length)} #{length == 1 ? one : many}"
      end

      # By how much a collection grew in each window.
      def note(step)
        lengths = step[:growth]
        return unless lengths&.all? && lengths.size > 1

        changes = lengths.each_cons(2).map { |before, after| after - before }
        changes.map { |change| "#{"+" unless change.negative?}#{count(change)}" }.join(", ") if changes.any?(&:nonzero?)
      end

      # Both ends and the holder say most.
      def shorten_middle(lines, holder)
        return lines if lines.size <= MOST

        ends = MOST / 2
        kept = [*0...ends, holder, *(lines.size - ends)...lines.size].uniq.sort
        shown = [nil, *kept].each_cons(2).flat_map { |before, index| [*gap_before(before, index), lines[index]] }
        shown.each_with_index { |line, depth| line.depth = depth }
      end

      def gap_before(before, index)
        left = before ? index - before - 1 : 0
        [Line.new(depth: 0, edge: "…", label: counted(left, "more step"), note: nil)] if left.positive?
      end

      def start(line, step)
        return "" if line.depth.zero?

        printable("#{" " * (step * (line.depth - 1))}└ #{line.edge}")
      end

      def text(start, label, column, width)
        edge = [pad(start, column), start].find { |text| columns(text) + 1 + columns(label) <= width }
        return ["#{edge} #{label}".rstrip] if edge

        indent = start[/\A */]
        below = "#{indent}    "
        [*hanging(start.lstrip, indent, below, width), *hanging(label, below, below, width)]
      end

      # @param first [String] indent of the first line
      # @param rest [String] of the others
      def hanging(text, first, rest, width)
        return ["#{first}#{text}"] if columns(first) + columns(text) <= width

        lines = wrap(text, width - rest.length).split("\n")
        ["#{first}#{lines.first}", *lines.drop(1).map { |line| "#{rest}#{line}" }]
      end
    end
  end
end
