# frozen_string_literal: true

module LeakHunter
  class Report
    # What holds the leaked objects, a paragraph each: the holder and how much it holds, how much memory is freed when
    # it releases them, where they were allocated, and the path from a root.
    class Holders
      include Format

      INDENT = "   "
      ARROW = " → "

      # Holders of less than this share of everything held are counted only.
      MIN_SHARE = 0.005

      # Steps shown at the start and at the end of a longer path.
      STEPS = 4

      # Kinds of holders whose name says what they are.
      NAMED = %w[class root threads thread_locals methods method_cache symbols].freeze

      # Kinds of holders that are several by themselves.
      PLURAL = %w[threads methods].freeze

      # How a step refers to the next, where its name needs a word.
      WORDS = { "global" => "", "class" => "class of ", "captured" => "captured ", "hash_entry" => "[…] ",
                "array_element" => "[…] ", "fiber_local" => "thread-local ",
                "thread_variable" => "thread variable " }.freeze

      # Categories of roots, as the VM calls them.
      ROOTS = { "vm" => "the VM", "machine_context" => "a thread's stack", "finalizers" => "finalizers",
                "end_proc" => "at_exit blocks", "global_tbl" => "global variables", "global_list" => "C extensions",
                "registered_globals" => "C extensions", "trap_list" => "signal handlers", "ractor" => "a Ractor",
                "move_couriers" => "messages between Ractors", "symbols" => "the VM's symbol table",
                "global_symbols" => "the VM's symbol table", "unreachable" => "garbage not yet collected" }.freeze

      # From Ruby 4.1 on a heap has the objects of all Ractors, but the roots of one.
      ROOTS_OF_ONE_RACTOR = ROOTS.merge("unreachable" => "garbage not yet collected, or another Ractor").freeze

      def initialize(result, style:, width:, top:)
        @result = result
        @totals = result[:totals]
        @style = style
        @width = width
        @holders = result[:holders]
        @shown = top ? relevant.first(top) : @holders
      end

      # @return [String, nil] nil where there is none
      def to_s
        return if @holders.empty?

        [*@shown.map.with_index(1) { |holder, index| paragraph(holder, index) }, rest, caches].compact.join("\n")
      end

      private

      # The first, and those with a share worth reading: the VM's own tables grow by one or two while code warms up.
      def relevant
        least = @holders.sum { |holder| holder[:memsize] } * MIN_SHARE
        @holders.take_while.with_index { |holder, index| index.zero? || holder[:memsize] >= least }
      end

      def paragraph(holder, index)
        number = "#{index}. "
        first, *lines = wrap(sentence(holder), @width - number.length).split("\n")
        details = [freed(holder), pinned(holder), consequences(holder), site(holder), path(holder)].compact
        details = details.map { |text| wrap(text, @width - INDENT.length) }
        ["#{number}#{@style.paint(first, :bold)}", *lines.map { |line| @style.paint("#{INDENT}#{line}", :bold) },
         *details.flat_map { |text| text.split("\n") }.map { |line| @style.paint("#{INDENT}#{line}", :dim) }].join("\n")
      end

      def sentence(holder)
        all = count(@totals[:count] - cache_count)
        what = "#{count(holder[:count])} of the #{all} leaked objects, #{bytes(holder[:memsize])}"
        return "#{title(holder)} #{plural?(holder) ? "hold" : "holds"} #{what}" if holder[:together].to_a.empty?

        "#{[title(holder), *sharers(holder)].join(", ")} together hold #{what}"
      end

      def sharers(holder) = holder[:together].to_a.map { |it| printable(it[:name] || unnamed(it)) }

      def roots
        ruby = @result.dig(:dumps, -1, :recorded, :ruby) || "0"
        (ruby.split(".").map(&:to_i) <=> [4, 1]).negative? ? ROOTS : ROOTS_OF_ONE_RACTOR
      end

      def title(holder)
        name = holder[:name] || unnamed(holder)
        facts = [fact(holder), *entries(holder), *alike(holder)].compact
        printable(facts.empty? ? name : "#{name} (#{facts.join(", ")})")
      end

      def unnamed(holder)
        return roots.fetch(holder[:class]) { "root #{holder[:class]}" } unless holder[:address]

        "an unnamed #{holder[:class] || "object"}"
      end

      # Some roots are called by what they consist of: finalizers, at_exit blocks.
      def plural?(holder) = PLURAL.include?(holder[:kind]) || plural_root?(holder)

      def plural_root?(holder) = !holder[:address] && (holder[:name] || unnamed(holder)).match?(/s(?: \(|\z)/)

      # The class, unless the name says it.
      def fact(holder) = (holder[:class] if holder[:name] && !NAMED.include?(holder[:kind]))

      def entries(holder)
        keys = holder.dig(:keys, :count)
        return [counted(keys, "key")] if keys.to_i > 1

        *, last = holder[:growth]
        return [] unless last

        growth = holder[:growth].each_cons(2).filter_map { |before, after| before && after && (after - before) }
        ["#{count(last)} #{last == 1 ? "entry" : "entries"}",
         *growth.map { |more| "#{"+" unless more.negative?}#{count(more)}" }]
      end

      def alike(holder)
        return [] unless holder[:alike] > 1

        return [counted(holder[:alike], "thread")] if holder[:kind] == "threads"

        [thread?(holder) ? "in #{counted(holder[:alike], "thread")}" : "#{count(holder[:alike])} such objects"]
      end

      def thread?(holder) = holder[:kind] == "thread" || holder[:name]&.start_with?("thread")

      def freed(holder)
        exclusive, shared, cut = holder[:retained].values_at(:exclusive, :shared, :cut)
        if holder[:together].to_a.any?
          return "removing from one of them frees nothing; removing from all of them frees #{bytes(shared)}"
        end
        if holder[:kind] == "shared"
          return "also referenced elsewhere; #{bytes(shared)} are freed when all references are removed"
        end

        text = +"#{release(holder)} frees #{bytes(exclusive)}"
        text << "; #{bytes(shared)} more shared with others" if shared.positive?
        text << "; of that #{bytes(holder[:reserved])} are reserved for stacks" if holder[:reserved].to_i.positive?
        text << "; #{release_all(holder)} frees #{bytes(cut)}" if cut > exclusive
        printable(text)
      end

      def consequences(holder)
        number, size = %i[count memsize].map { |key| holder[:consequences].to_a.sum { |it| it[key] } }
        return if number.zero?

        "#{count(number)} of their finalizers, #{bytes(size)}, #{number == 1 ? "goes" : "go"} with them"
      end

      def pinned(holder)
        pinned = holder[:pinned] or return

        text = "#{counted(pinned[:count], "String")}, #{bytes(pinned[:memsize])}, kept only by others that are parts " \
               "of them"
        printable(pinned[:file] ? "#{text}: allocated at #{Group.new(pinned.slice(:file, :line, :gem)).title}" : text)
      end

      def release(holder) = holder[:kind] == "collection" ? "removing these entries" : "releasing them"

      def release_all(holder)
        holder[:kind] == "collection" ? "clearing the #{holder[:class]}" : "releasing the #{holder[:class]}"
      end

      # Of most entries; of those of the application's own code, if there are some.
      def site(holder)
        site = holder[:entries] or return

        file = Group.new(site.slice(:file, :line, :gem)).title
        "allocated at #{file}#{printable(" (#{site[:gem]})") if site[:gem]}"
      end

      def path(holder)
        path, position = holder.values_at(:path, :position)
        anchor = LeakHunter::Holders::Name.anchor(path, position) || 0
        steps = path.each_with_index.filter_map do |step, index|
          next unless index >= anchor && LeakHunter::Holders::Name.visible?(step)

          text = index == anchor ? first_step(step) : step(step, entry: index > position)
          [text, index == position] unless text == "Object" # where constants of no module are
        end
        # a step is not broken over two lines
        ["root", *cut(steps)].map { |step| printable(step).tr(" ", BOUND) }.join(ARROW)
      end

      # Of a long path the beginning, the end, and the holder.
      def cut(steps)
        texts = steps.map(&:first)
        return texts if texts.size <= (2 * STEPS) + 1

        middle = steps[STEPS...-STEPS]
        at = middle.index { |_, holder| holder }
        kept = at ? [*("…" if at.positive?), middle[at].first, *("…" if at < middle.size - 1)] : ["…"]
        [*texts.first(STEPS), *kept, *texts.last(STEPS)]
      end

      # A class has its name, whatever refers to it.
      def first_step(step)
        return roots.fetch(step[:class], step[:class]) if step[:type] == "ROOT"

        LeakHunter::Holders::Name::ANCHORS.include?(step[:edge][:kind]) ? step(step) : step[:class]
      end

      # Without the index or key of an entry of the holder: any of them could stand here.
      def step(step, entry: false)
        kind, name = step[:edge].values_at(:kind, :name)
        return "[…] #{step[:class]}" if kind == "array_element" || (entry && kind == "hash_value")
        return "#{WORDS[kind]}#{step[:class]}" if name.nil?

        kind == "root" ? step[:class] : "#{WORDS[kind]}#{name} #{step[:class]}"
      end

      # They are not in the count of the sentences above, so that it adds up.
      def caches
        return if cache_count.zero?

        are = cache_count == 1 ? "is a VM inline cache" : "are VM inline caches"
        "#{INDENT}#{counted(cache_count, "more object")} #{are}: #{bytes(@totals[:cache_memsize])}"
      end

      def cache_count = @totals[:cache_count].to_i

      def rest
        more = @holders.drop(@shown.size)
        return if more.empty?

        "#{INDENT}#{counted(more.size, "more holder")} of #{counted(more.sum { |it| it[:count] }, "object")}, " \
          "#{bytes(more.sum { |it| it[:memsize] })}"
      end
    end
  end
end
