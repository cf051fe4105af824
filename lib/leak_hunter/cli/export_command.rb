# frozen_string_literal: true

module LeakHunter
  class CLI
    # `leak_hunter export --format folded 3.json`
    class ExportCommand < HeapCommand
      def self.summary = "convert a dump for flame graph tools, speedscope, Chrome, Graphviz"

      private

      def define(parser)
        parser.banner = ["Usage: leak_hunter export [OPTIONS] --format FORMAT DUMP",
                         "       leak_hunter export [OPTIONS] --format FORMAT --leaked DUMP DUMP DUMP..."].join("\n")
        parser.separator "\nConverts a heap for other programs; with three or more dumps, the objects that\n" \
                         "leaked between them.\n\n"
        parser.on("--format FORMAT", "folded, speedscope, flame (HTML),", "heapsnapshot (for Chrome), dot") do |format|
          @export = one_of("format", format, Heap::Export.formats.keys)
        end
        define_output(parser)
        define_details(parser)
        define_common(parser)
      end

      def define_output(parser)
        parser.on("-o", "--output FILE", "default: standard output") { |file| @output = file }
        parser.on("--leaked", "only what leaked between three or more dumps") { @leaked = true }
        parser.on("--depth N", "most frames on top of each other") do |number|
          options[:depth] = positive("depth", number)
        end
        parser.on("--frames N", "most frames; the largest are kept") do |number|
          options[:frames] = positive("frames", number)
        end
      end

      def define_details(parser)
        parser.on("--view VIEW", "for folded: retained (default), paths, sites") do |view|
          options[:view] = one_of("view", view, Native.export_views)
        end
        parser.on("--object ADDRESS", "for dot: the object to draw with its neighbours") do |address|
          options[:object] = address
        end
        parser.on("--relation WHAT", "for dot: any (default), references,", "referrers, dominators") do |relation|
          options[:relation] = one_of("relation", relation, Native.export_relations)
        end
        parser.on("--limit N", "for dot: most objects; default: 60") do |number|
          options[:limit] = positive("limit", number)
        end
      end

      def execute(paths)
        check(paths)
        # first what leaked: dumps that cannot be compared need not be loaded
        options[:only] = survivors(paths) if paths.size > 1
        heap = load(paths.last)
        export(heap, title(paths).merge(options))
      end

      def survivors(paths)
        # then the last one is read again
        sizes = paths.map { |path| File.size?(path).to_i }
        part = sizes.sum.fdiv([sizes.sum + sizes.last, 1].max)
        watching(part) { |bar| Diff.survivors(*paths, threads: @threads || :all, progress: bar) }
      end

      def export(heap, options)
        heap.export(@export, @output || stdout, **options)
      rescue Errno::EPIPE
        raise
      rescue SystemCallError, IOError => e
        raise WriteError.new(@output || "standard output", e)
      end

      def check(paths)
        raise UsageError, "--format is required" unless @export

        check_number(paths)
        check_options
        @output ? check_output(paths) : check_terminal
      end

      def check_number(paths)
        if @leaked && !takes?(:only)
          raise UsageError, "--leaked: not with --format #{@export}, which shows whole heaps only"
        end

        allowed = { "one dump" => [!@leaked, 1..1], "three dumps or more" => [takes?(:only), 3..] }
                  .filter_map { |text, (possible, sizes)| [text, sizes] if possible }
        return if allowed.any? { |_, sizes| sizes.cover?(paths.size) }

        raise UsageError, "#{name}: expected #{allowed.map(&:first).join(" or ")}, got #{paths.size}"
      end

      def name = @export == "flame" && is_a?(FlameCommand) ? "flame" : "export --format #{@export}"

      def facts = Heap::Export.formats.fetch(@export)

      def takes?(option) = facts[:options].include?(option)

      def check_options
        unknown = options.keys.find { |option| !takes?(option) }
        raise UsageError, "--#{unknown}: not an option of --format #{@export}" if unknown
        return if options[:object] || !facts[:needs_object]

        raise UsageError, "--format #{@export}: --object is required; the graph is of one object and its neighbours"
      end

      def check_terminal
        return if facts[:readable] || !Terminal.new(stdout).tty?

        raise UsageError, "#{@export} is not for reading in a terminal; name a file with -o FILE"
      end

      def title(paths)
        return {} unless takes?(:title)

        { title: paths.size > 1 ? Report::Moments.between(paths) : Printable.call(File.basename(paths.first)) }
      end
    end
  end
end
