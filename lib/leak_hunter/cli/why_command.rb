# frozen_string_literal: true

module LeakHunter
  class CLI
    # `leak_hunter why 3.json 0x7f…`, or the name of a class
    class WhyCommand < HeapCommand
      autoload :Answer, "leak_hunter/cli/why_command/answer"
      autoload :Ways, "leak_hunter/cli/why_command/ways"

      LIMIT = 3

      def self.summary = "tell what keeps an object alive, or the objects of a class"

      private

      def define(parser)
        parser.banner = "Usage: leak_hunter why [OPTIONS] DUMP ADDRESS|CLASS"
        parser.separator "\nThe shortest way from the roots to an object (0x7f...), or the ways to most\n" \
                         "instances of a class, step by step.\n\n"
        parser.on("--limit N", "different ways, default: #{LIMIT}") { |number| @limit = positive("limit", number) }
        define_report(parser)
      end

      def execute(arguments)
        raise UsageError, "why takes a dump and an address or a class, got #{arguments.size}" unless arguments.size == 2

        path, target = arguments
        heap = load(path)
        ways = target.match?(/\A0x\h+\z/) ? one(heap, target) : instances(heap, target)
        if json?
          print_json(dump: path, target:, **ways.to_h(@limit || LIMIT))
        else
          stdout.puts Answer.new(ways, color: style, width:, limit: @limit || LIMIT).to_s
        end
      end

      def one(heap, address)
        object = heap.find(address) or raise NotFound, "there is no object at #{address} in #{heap.path}"
        Ways.new(heap, [object], count: 1)
      end

      def instances(heap, name)
        row = heap.classes.find { |known| known[:class] == name } or raise NotFound, missing(heap, name)
        Ways.of_class(heap, name, row)
      end

      def missing(heap, name)
        similar = heap.classes.filter_map { |row| row[:class] if row[:class]&.downcase&.include?(name.downcase) }
        hint = similar.empty? ? "" : "; there are objects of #{similar.first(5).join(", ")}"
        "there is no object of the class #{name} in #{heap.path}#{hint}"
      end
    end
  end
end
