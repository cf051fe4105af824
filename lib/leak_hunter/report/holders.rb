# frozen_string_literal: true

module LeakHunter
  class Report
    # Who holds what leaked, a paragraph each: the holder and how much it holds, what letting go frees, where the leaked
    # objects were made, and the way from the roots.
    class Holders
      include Format

      INDENT = "   "
      ARROW = " → "
      # Of all that is held.
      CRUMB = 0.005

      # Steps told of a longer way, at its start and at its end.
      STEPS = 4

      # How a step refers to the next, where its name needs a word.
      WORDS = { "global" => "", "class" => "class of ", "captured" => "captured ", "hash_entry" => "[…] ",
                "array_element" => "[…] ", "fiber_local" => "thread-local ",
                "thread_variable" => "thread variable " }.freeze

      def initialize(result, color:, width:, top:)
        @result = result
        @totals = result[:totals]
        @color = color
        @width = width
        @holders = result[:holders]
        @shown = top ? worth_telling.first(top) : @holders
      end

      # @return [String, nil] nil where there is nothing to tell
      def to_s
        return if @holders.empty?

        [*@shown.map.with_index(1) { |holder, index| paragraph(holder, index) }, rest, unheld].compact.join("\n")
      end

      private

      # The first, and those that hold more than a crumb: the VM's own tables grow by one or two while code warms up.
      def worth_telling
        least = @holders.sum { |holder| holder[:memsize] } * CRUMB
        @holders.take_while.with_index { |holder, index| index.zero? || holder[:memsize] >= least }
      end

      def paragraph(holder, index)
        number = "#{index}. "
        first, *lines = wrap(sentence(holder), @width - number.length).split("\n")
        details = [freed(holder), made(holder), way(holder)].compact
        details = details.map { |text| wrap(text, @width - INDENT.length) }
        ["#{number}#{@color.paint(first, :bold)}", *lines.map { |line| @color.paint("#{INDENT}#{line}", :bold) },
         *details.flat_map { |text| text.split("\n") }.map { |line| @color.paint("#{INDENT}#{line}", :dim) }].join("\n")
      end

      def sentence(holder)
        all = count(@totals[:count] - caches)
        what = "#{count(holder[:count])} of the #{all} leaked objects, #{bytes(holder[:memsize])}"
        with = holder[:kind] == "shared" ? "holds, and does not hold alone," : "holds"
        "#{title(holder)} #{with} #{what}"
      end

      def title(holder)
        name = holder[:name] || "#{article(holder)}without a name"
        facts = [fact(holder), *entries(holder), *alike(holder)].compact
        printable(facts.empty? ? name : "#{name} (#{facts.join(", ")})")
      end

      def article(holder) = holder[:kind] == "root" ? "a root " : "an object "

      def fact(holder)
        return if %w[class root].include?(holder[:kind]) && holder[:name]

        holder[:class]
      end

      def entries(holder)
        first, second, third = holder[:growth]
        return [] unless third

        growth = [first && second && (second - first), second && (third - second)].compact
        ["#{count(third)} #{third == 1 ? "entry" : "entries"}", *growth.map do |more|
                                                                  "#{"+" unless more.negative?}#{count(more)}"
                                                                end]
      end

      def alike(holder) = holder[:alike] > 1 ? ["#{count(holder[:alike])} of them"] : []

      def freed(holder)
        exclusive, shared, cut = holder[:retained].values_at(:exclusive, :shared, :cut)
        return "held by others too: only when all let go, #{bytes(shared)} are free" if holder[:kind] == "shared"

        text = +"letting go of them frees #{bytes(exclusive)}"
        text << ", #{bytes(shared)} more are shared with others" if shared.positive?
        text << "; letting go of the whole #{holder[:class]} frees #{bytes(cut)}" if cut > exclusive
        text
      end

      # The application's own place among what it holds, if there is one.
      def made(holder)
        groups = holder[:groups].filter_map { |group| @result[:groups][group[:index]] }
        group = groups.find { |it| it[:gem] == "app" } || groups.find { |it| it[:file] } or return

        detail = Group.new(group.slice(:file, :line, :gem)).title
        "allocated at #{detail}#{" (#{group[:gem]})" if group[:gem]}"
      end

      def way(holder)
        path, position = holder.values_at(:path, :position)
        anchor = LeakHunter::Holders::Name.anchor(path, position) || 0
        steps = path.each_with_index.filter_map do |step, index|
          next unless index >= anchor && LeakHunter::Holders::Name.visible?(step)

          index == anchor ? start_words(step) : step_words(step, entry: index > position)
        end
        steps.delete("Object") # where constants of no module are
        steps = [*steps.first(STEPS), "…", *steps.last(STEPS)] if steps.size > (2 * STEPS) + 1
        # a step is not broken over two lines
        ["root", *steps].map { |step| printable(step).tr(" ", BOUND) }.join(ARROW)
      end

      # A class has its name, whatever refers to it.
      def start_words(step)
        LeakHunter::Holders::Name::ANCHORS.include?(step[:edge][:kind]) ? step_words(step) : step[:class]
      end

      # Which entry of a collection it is, changes from hour to hour.
      def step_words(step, entry: false)
        kind, name = step[:edge].values_at(:kind, :name)
        return "[…] #{step[:class]}" if kind == "array_element" || (entry && kind == "hash_value")
        return "#{WORDS[kind]}#{step[:class]}" if name.nil?

        kind == "root" ? step[:class] : "#{WORDS[kind]}#{name} #{step[:class]}"
      end

      # Left out of the count above, so that it adds up.
      def unheld
        return if caches.zero?

        what = caches == 1 ? "object more is a cache" : "objects more are caches"
        text = "#{count(caches)} #{what} of the VM's, one for each place in the code: #{bytes(@totals[:cache_memsize])}"
        wrap(text, @width - INDENT.length).gsub(/^/, INDENT)
      end

      def caches = @totals[:cache_count].to_i

      def rest
        more = @holders.drop(@shown.size)
        return if more.empty?

        "#{INDENT}#{counted(more.size, "more holder")} of #{counted(more.sum { |it| it[:count] }, "object")}, " \
          "#{bytes(more.sum { |it| it[:memsize] })}"
      end
    end
  end
end
