# frozen_string_literal: true

module LeakHunter
  class CLI
    # `leak_hunter why 3.json 0x7f…`, or a name, or `#2`
    class WhyCommand < HeapCommand
      LIMIT = 3
      # Class names proposed where there is none of that name.
      PROPOSALS = 5
      ADDRESS = /\A0x\h+\z/
      HOLDER = /\A#?(\d{1,9})\z/
      # Without a dump: a number alone may be the name of one.
      HOLDER_ALONE = /\A#(\d{1,9})\z/
      private_constant :ADDRESS, :HOLDER, :HOLDER_ALONE

      def self.summary = "show what keeps an object, or the objects of a class, alive"

      private

      def define(parser)
        parser.banner = "Usage: leak_hunter why [OPTIONS] DUMP WHAT\n       leak_hunter why [OPTIONS] '#2'"
        parser.separator "\nShows the shortest path from a root to an object, or the different paths to the\n" \
                         "instances of a class, most frequent first. WHAT is an address (0x7f...), a class,\n" \
                         "a name as reports print it (Shop::TRAIL, Cache.@pages, $trail), or '#2', the second\n" \
                         "holder of the last report of leak_hunter diff.\n\n"
        parser.on("--limit N", "paths to show; default: #{LIMIT}") { |number| @limit = positive("limit", number) }
        define_report(parser)
      end

      def execute(arguments)
        path, target = dump_and_target(arguments)
        heap = load(path)
        paths = find(heap, target)
        if json?
          write_json(dump: text(path), target: text(target), **paths.to_h(@limit || LIMIT))
        else
          report = WhyReport.new(paths, style:, width:, limit: @limit || LIMIT)
          write_text([title, report.to_s].compact.join("\n\n"))
        end
      end

      def dump_and_target(arguments)
        return arguments if arguments.size == 2
        return [path_of_last_report, arguments.first] if arguments.size == 1 && arguments.first.b.match?(HOLDER_ALONE)

        raise UsageError, "why: expected a dump, and an address, a class or a name; got #{arguments.size} of 2 " \
                          "arguments. Quote '#2': shells take # for a comment"
      end

      def find(heap, target)
        case target.b
        when ADDRESS then one(heap, target)
        when HOLDER then holder(heap, Regexp.last_match(1).to_i)
        else instances(heap, target) || named(heap, target)
        end
      end

      def title = @holder && Report::Format.wrap("#{about_holder}: #{name_of_holder}", width)

      def about_holder = "##{@holder.number} of the last report"

      def name_of_holder = Printable.call(@holder.name || "without a name")

      def last_report = @last_report ||= LastReport.read

      def path_of_last_report
        path = last_report.path or raise NotFound, "the last report is not of a dump"
        return path if File.exist?(path)

        raise NotFound, "the dump of the last report is gone: #{Printable.call(path)}. Run leak_hunter diff again"
      end

      def holder(heap, number)
        @holder = last_report.holder(number)
        unless last_report.of?(heap)
          raise NotFound, "#{Printable.call(heap.path)} is not the dump of the last report, which is " \
                          "#{Printable.call(last_report.path.to_s)}"
        end
        return one(heap, @holder.address) if @holder.address

        raise NotFound, "#{about_holder} (#{name_of_holder}) is the VM's own and has no address"
      end

      def one(heap, address)
        object = heap.find(address) or
          raise NotFound, "#{Printable.call(heap.path)} has no object at #{address}. An address is of one dump only: " \
                          "take it from a report of this one"
        RootPaths.new(heap, [object], count: 1)
      end

      def instances(heap, name)
        row = heap.classes.find { |known| known[:class] == name }
        row && RootPaths.of_class(heap, name, row)
      end

      def named(heap, name)
        lookup = NameLookup.new(heap, name)
        objects = lookup.objects
        raise NotFound, missing(heap, name, lookup.known) if objects.empty?

        RootPaths.new(heap, objects, count: objects.size)
      end

      def missing(heap, name, known)
        similar = similar_classes(heap, name).first(PROPOSALS).map { |it| Printable.call(it) }
        hint = ". Similar classes: #{similar.join(", ")}"
        hint = ". leak_hunter top --by class lists its classes" if similar.empty?
        hint = "; it has #{Printable.call(known)}" unless known.empty?
        "#{Printable.call(heap.path)} has no objects of the class #{Printable.call(name)}, and nothing of this " \
          "name#{hint}"
      end

      def similar_classes(heap, name)
        return [] unless name.valid_encoding?

        name = name.downcase
        heap.classes.filter_map { |row| row[:class] if row[:class]&.downcase&.include?(name) }
      end
    end
  end
end
