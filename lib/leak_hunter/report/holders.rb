# frozen_string_literal: true

module LeakHunter
  class Report
    # The holders of a report as text: those that grow, a paragraph each, then the others in a line for each verdict.
    class Holders
      include Format

      # Columns before what is said of a holder: its indent, and its label.
      Margin = Struct.new(:indent, :label)

      # By the least columns that each is for. In the fewest, labels have lines of their own.
      MARGINS = { 60 => Margin.new(3, 8), 40 => Margin.new(1, 6), 0 => Margin.new(1, 0) }.freeze
      # What stands below a label that has a line of its own is indented by so many more.
      BELOW = 1

      # @param top [Integer, nil] see {Overview}
      def initialize(result, style:, width:, top:)
        @overview = Overview.new(result, top:)
        @style = style
        @width = width
        @margin = MARGINS.find { |least, _| width >= least }.last
      end

      # @return [String, nil] nil where there is none
      def to_s
        paragraphs = @overview.shown.map.with_index(1) { |holder, index| paragraph(holder, index) }
        text = [*paragraphs, folded].compact.join("\n\n")
        text unless text.empty?
      end

      private

      def paragraph(holder, index)
        rate, size, why, code, fix = holder.facts.values_at("rate", "size", "why", "code", "fix")
        [*title(holder, "#{index}. "), *row("rate", "#{rate}; #{size}"), *row("why", why),
         *labelled("path", holder.path.to_text(room)), *row("code", code), *row("fix", fix),
         *next_step(holder)].join("\n")
      end

      # Names are not cut: a long one takes lines of its own.
      def title(holder, number)
        verdict = holder.verdict.to_s.upcase
        indent = " " * @margin.indent
        lines = name_lines(holder.name, @width - @margin.indent)
        free = @width - number.length - verdict.length - 2
        first = lines.one? && columns(lines.first) <= free ? "#{verdict}  #{lines.shift}" : verdict
        ["#{number}#{@style.paint(first, :bold)}", *lines.map { |line| "#{indent}#{@style.paint(line, :bold)}" }]
      end

      def below? = @margin.label.zero?

      def room = @width - @margin.indent - (below? ? BELOW : @margin.label)

      # A command that is too long for a line goes on in the next, as shells read it.
      def next_step(holder)
        command = holder.next_command or return []
        lines = command.lines(room) and return labelled("next", lines)
        lines = command.lines(@width - @margin.indent)&.map { |line| "#{" " * @margin.indent}#{line}" }
        [label("next", ""), *(lines || command.unindented_lines(@width))]
      end

      # @return [Array<String>] lines
      def row(name, text) = labelled(name, text && wrap(text, room).split("\n"))

      def labelled(name, lines)
        return [] unless lines

        first = label(name, below? ? "" : lines.first)
        indent = " " * (@width - room)
        rest = below? ? lines : lines.drop(1)
        [first, *rest.map { |line| "#{indent}#{line}" }]
      end

      def label(name, text)
        name = below? ? name : name.ljust(@margin.label)
        "#{" " * @margin.indent}#{@style.paint(name, :dim)}#{text}".rstrip
      end

      def folded
        folds = @overview.folded
        folds.map { |fold| wrap("#{fold.title}: #{fold.text}", @width) }.join("\n") unless folds.empty?
      end
    end
  end
end
