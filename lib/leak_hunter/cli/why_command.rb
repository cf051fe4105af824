# frozen_string_literal: true

module LeakHunter
  class CLI
    # `leak_hunter why 3.json 0x7f…`, or the name of a class
    class WhyCommand < HeapCommand
      LIMIT = 3
      # Class names proposed where there is none of that name.
      PROPOSALS = 5

      def self.summary = "show what keeps an object, or the objects of a class, alive"

      private

      def define(parser)
        parser.banner = "Usage: leak_hunter why [OPTIONS] DUMP ADDRESS|CLASS"
        parser.separator "\nShows the shortest path from a root to an object (0x7f...), or the different\n" \
                         "paths to the instances of a class, most frequent first.\n\n"
        parser.on("--limit N", "paths to show; default: #{LIMIT}") { |number| @limit = positive("limit", number) }
        define_report(parser)
      end

      def execute(arguments)
        unless arguments.size == 2
          raise UsageError, "why: expected a dump, and an address or a class; got #{arguments.size} of 2 arguments"
        end

        path, target = arguments
        heap = load(path)
        paths = target.b.match?(/\A0x\h+\z/) ? one(heap, target) : instances(heap, target)
        if json?
          write_json(dump: text(path), target: text(target), **paths.to_h(@limit || LIMIT))
        else
          write_text(WhyReport.new(paths, style:, width: wide, limit: @limit || LIMIT).to_s)
        end
      end

      def one(heap, address)
        object = heap.find(address) or raise NotFound, "#{Printable.call(heap.path)} has no object at #{address}"
        RootPaths.new(heap, [object], count: 1)
      end

      def instances(heap, name)
        row = heap.classes.find { |known| known[:class] == name } or raise NotFound, missing(heap, name)
        RootPaths.of_class(heap, name, row)
      end

      def missing(heap, name)
        similar = similar_classes(heap, name).first(PROPOSALS).map { |known| Printable.call(known) }
        hint = similar.empty? ? "" : ". Similar classes: #{similar.join(", ")}"
        "#{Printable.call(heap.path)} has no objects of the class #{Printable.call(name)}#{hint}"
      end

      def similar_classes(heap, name)
        return [] unless name.valid_encoding?

        name = name.downcase
        heap.classes.filter_map { |row| row[:class] if row[:class]&.downcase&.include?(name) }
      end
    end
  end
end
