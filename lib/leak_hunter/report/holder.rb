# frozen_string_literal: true

module LeakHunter
  class Report
    # What is said of one holder: for text, HTML and Markdown alike.
    class Holder
      include Format

      # Categories of roots, as the VM calls them.
      ROOTS = { "vm" => "the VM", "machine_context" => "a thread's stack", "finalizers" => "finalizers",
                "end_proc" => "at_exit blocks", "global_tbl" => "global variables", "global_list" => "C extensions",
                "registered_globals" => "C extensions", "trap_list" => "signal handlers", "ractor" => "a Ractor",
                "move_couriers" => "messages between Ractors", "symbols" => "the VM's symbol table",
                "global_symbols" => "the VM's symbol table", "unreachable" => "garbage not yet collected" }.freeze

      # From Ruby 4.1 on a heap has the objects of all Ractors, but the roots of one.
      ROOTS_OF_ONE_RACTOR = ROOTS.merge("unreachable" => "garbage not yet collected, or another Ractor").freeze

      # Why a verdict is what it is; see docs/verdict.md.
      REASONS = {
        "every_window" => "entries of every window stayed", "stopped" => "it stopped growing",
        "length_flat" => "new entries replace old ones", "turns_over" => "new entries replace old ones",
        "falls_and_rises" => "it shrinks and grows again", "recent_only" => "only recent entries are left",
        "falls" => "it gets shorter", "loaded" => "each file is loaded once",
        "last_value" => "still on its stack; its next value replaces this one",
        Findings::TOO_FEW => "too few objects to tell",
        "just_stopped" => "it stopped growing only in the last window",
        "little_work" => "too little work in the last windows", "only_lately" => "it grew only lately",
        "slowing" => "it grows more slowly each time", "irregular" => "it grows and shrinks",
        "mostly_replaced" => "most new entries replace old ones", "lengths_unknown" => "its lengths are not known",
        "not_traced" => "most of what it keeps was not traced"
      }.freeze

      # @param holder [Hash] see {LeakHunter::Holders}
      # @param result [Hash] the result that it is of
      def initialize(holder, result)
        @holder = holder
        @result = result
        @moments = Moments.new(result)
      end

      # @return [String] "growing"
      def verdict = @holder.dig(:verdict, :name)

      # @return [String] see {Findings.kind}
      def kind = Findings.kind(@holder)

      # @return [String] why
      def reason
        reason = @holder.dig(:verdict, :reason).to_s
        text = REASONS.fetch(reason) { reason.tr("_", " ") }
        @holder.dig(:verdict, :another_moment_settles) ? "#{text}; one more dump would tell" : text
      end

      # @return [String] what it is called, with all others that hold the same
      def name
        names = [@holder, *sharers].map { |it| it[:name] || unnamed(it) }
        printable([names.join(", "), many, ("(#{loaded})" if loaded)].compact.join(" "))
      end

      # @return [Integer]
      def objects = @holder[:count]

      # @return [Integer]
      def memsize = @holder[:memsize]

      # @return [Array<Hash>] `:count` and `:memsize` of what was allocated in each window
      def windows = Findings.windows(@holder)

      # @return [String] "+1.2 MB, then +1.2 MB (3.0 MB/min)"
      def rate
        sizes = windows.map { |window| in_entries? ? entries_of(window[:count]) : "+#{bytes(window[:memsize])}" }
        seconds = @moments.seconds
        per_minute = windows.sum { |window| window[:memsize] } * 60 / seconds if seconds
        "#{sizes.join(", then ")}#{" (#{bytes(per_minute.round)}/min)" if per_minute}"
      end

      # @return [String] "6,742 objects, 1.2 MB"
      def size
        return "#{estimated || counted(objects, "object")}, #{bytes(memsize)}" unless in_place?

        last = @holder[:growth].last.to_i
        "#{@holder[:class]}, #{in_entries? ? entries_of(last).delete_prefix("+") : bytes(last)}"
      end

      # @return [Hash{String => String}] what is said of it in every format, by its label
      def facts
        { "rate" => rate, "size" => size, "why" => (reason unless verdict == Findings::GROWING), "code" => code,
          "from" => origin.contexts, "via" => origin.callers,
          "fix" => [freed, *fixes].join(" ") }.compact
      end

      # @return [PathTree]
      def path = PathTree.new(@holder, roots:)

      # @return [String, nil] where most of its entries are allocated; in the application's own code, if some are
      def code
        site = @holder[:entries] or return
        return unless site[:file]

        place = Group.new(site.slice(:file, :line, :gem)).title
        "#{place}#{printable(" (#{site[:gem]})") if site[:gem]}"
      end

      # @return [Origin]
      def origin = @origin ||= Origin.of_holder(@holder, @result)

      # @return [String] what would be freed
      def freed
        return "Objects moved, so that only its name and its length were compared." if @holder[:by_name]
        return "It grows without new objects." if in_place?

        exclusive, shared, cut = @holder[:retained].values_at(:exclusive, :shared, :cut)
        return "Removing them from one of these frees nothing, from all of these #{bytes(shared)}." if sharers.any?
        return "Removing #{entries} frees nothing: others refer to them, too." if exclusive.zero? && cut.zero?

        text = +"Removing #{entries} frees #{bytes(exclusive)}"
        text << "; #{bytes(shared)} more are shared with others" if shared.positive?
        text << "; #{bytes(reserved)} of it are reserved for stacks" if reserved.positive?
        text << "; #{release_all} frees #{bytes(cut)}" if cut > exclusive
        printable("#{text}.#{consequences}")
      end

      # @return [Array<String>] what else is known of it, and the ways this is usually mended
      def fixes = [pinned, Fix.rule(@holder, @result)&.text].compact

      # @return [ShellCommand, nil] the command that says more
      def next_command
        dump = @moments.last_path
        address = @holder[:address]
        ShellCommand.new("leak_hunter why", dump, address) if dump && address
      end

      private

      def roots
        ruby = @result.dig(:dumps, -1, :recorded, :ruby) || "0"
        (ruby.split(".").map(&:to_i) <=> [4, 1]).negative? ? ROOTS : ROOTS_OF_ONE_RACTOR
      end

      def in_place? = @holder[:kind] == Findings::IN_PLACE

      def in_entries? = in_place? && @holder[:unit] == "entries"

      def entries_of(number) = "#{"+" unless number.negative?}#{count(number)} #{number == 1 ? "entry" : "entries"}"

      # Where one object in so many is known.
      def estimated
        sampled = @holder.dig(:estimate, :sampled)
        "#{about(objects)} objects (#{count(sampled)} sampled)" if sampled
      end

      # Others that refer to the same objects.
      def sharers = @holder[:together].to_a

      # Bytes that the system gives only when they are used.
      def reserved = @holder[:reserved].to_i

      # How many objects, or keys, it stands for.
      def many
        keys = @holder.dig(:keys, :count).to_i
        alike = @holder[:alike]
        return "(#{counted(keys, "key")})" if keys > 1
        return if alike < 2

        %w[thread threads].include?(@holder[:kind]) ? "(#{counted(alike, "thread")})" : "(#{count(alike)} such objects)"
      end

      # "loaded by require "mail"", or from which file
      def loaded
        loaded = @holder[:loaded] or return

        feature, file = loaded.values_at(:feature, :file)
        return "loaded by require \"#{feature}\"" if feature

        "loaded from #{Group.new({ file:, gem: nil }).place}"
      end

      def entries = @holder[:kind] == "collection" ? "these entries" : "these objects"

      # What is kept only by Strings that are parts of it.
      def pinned
        pinned = @holder[:pinned] or return

        text = "#{counted(pinned[:count], "String")}, #{bytes(pinned[:memsize])}, kept only by parts of them"
        text << ", allocated at #{Group.new(pinned.slice(:file, :line, :gem)).title}" if pinned[:file]
        printable("#{text}. Copy what you keep: +\"\" << part.")
      end

      def consequences
        number, size = %i[count memsize].map { |key| @holder[:consequences].to_a.sum { |it| it[key] } }
        " #{counted(number, "finalizer")}, #{bytes(size)}, #{number == 1 ? "goes" : "go"} with them." if
          number.positive?
      end

      def unnamed(holder)
        return roots.fetch(holder[:class]) { "root #{holder[:class]}" } unless holder[:address]

        "an unnamed #{holder[:class] || "object"}"
      end

      def release_all
        @holder[:kind] == "collection" ? "clearing the #{@holder[:class]}" : "releasing the #{@holder[:class]}"
      end
    end
  end
end
