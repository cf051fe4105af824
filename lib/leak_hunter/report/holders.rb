# frozen_string_literal: true

module LeakHunter
  class Report
    # The holders of a report as text: those that grow, a paragraph each, then the others in a line for each verdict.
    class Holders
      include Format

      INDENT = "   "
      LABELS = 8
      # @param top [Integer, nil] see {Overview}
      def initialize(result, style:, width:, top:)
        @overview = Overview.new(result, top:)
        @style = style
        @width = width
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
        [*title(holder, "#{index}. "), *row("rate", "#{rate}; #{size}"), *row("why", why), *path(holder.path),
         *row("code", code), *row("fix", fix), *row("next", command(holder), whole: true)].join("\n")
      end

      # Names are not cut: a long one takes lines of its own.
      def title(holder, number)
        verdict = holder.verdict.to_s.upcase
        lines = wrap_name(holder.name, @width - INDENT.length)
        room = @width - number.length - verdict.length - 2
        first = lines.one? && columns(lines.first) <= room ? "#{verdict}  #{lines.shift}" : verdict
        ["#{number}#{@style.paint(first, :bold)}", *lines.map { |line| "#{INDENT}#{@style.paint(line, :bold)}" }]
      end

      # Breaks a name between its parts, and a part that is too long anywhere.
      def wrap_name(name, width)
        parts = name.scan(/.+?(?=::|\.|\[| → |, |\z)/m).flat_map { |part| part.scan(/.{1,#{width / 2}}/m) }
        parts.each_with_object([+""]) do |part, lines|
          lines << +"" if columns(lines.last) + columns(part) > width
          lines.last << (lines.last.empty? ? part.lstrip : part)
        end
      end

      def path(tree)
        first, *lines = tree.to_text(room)
        [label("path", first), *lines.map { |line| label("", line) }]
      end

      def room = @width - INDENT.length - LABELS

      # The dump by its name alone where its path is too long for a line.
      def command(holder)
        command = holder.next_command or return

        columns(command) <= room ? command : command.sub(/(?<=why )\S.*(?= 0x)/) { |path| File.basename(path) }
      end

      # @return [Array<String>] lines
      def row(name, text, whole: false)
        return [] unless text

        lines = whole ? [text] : wrap(text, room).split("\n")
        lines.map.with_index { |line, index| label(index.zero? ? name : "", line) }
      end

      def label(name, text) = "#{INDENT}#{@style.paint(name.ljust(LABELS), :dim)}#{text}".rstrip

      def folded
        folds = @overview.folded
        folds.map { |fold| wrap("#{fold.title}: #{fold.text}", @width) }.join("\n") unless folds.empty?
      end
    end
  end
end
