# frozen_string_literal: true

module LeakHunter
  class CLI
    # `leak_hunter export --format folded 3.json`
    class ExportCommand < HeapCommand
      # What has nothing to say to people.
      FOR_PROGRAMS = %w[speedscope flame heapsnapshot].freeze
      # Where it can be told what leaked from what did not.
      SIZED = %w[folded speedscope flame].freeze

      def self.summary = "write a dump for flame graph tools, speedscope, Chrome, Graphviz"

      private

      def define(parser)
        parser.banner = ["Usage: leak_hunter export [OPTIONS] --format FORMAT DUMP",
                         "       leak_hunter export [OPTIONS] --format FORMAT --leaked FIRST SECOND THIRD"].join("\n")
        parser.separator "\nA heap for other programs; with three dumps, what leaked between them.\n\n"
        formats = Heap::Export::FORMATS.keys.map(&:to_s)
        parser.on("--format FORMAT", "folded, speedscope, flame (HTML),", "heapsnapshot (for Chrome), dot") do |format|
          @export = one_of("format", format, formats)
        end
        define_output(parser)
        define_details(parser)
        define_common(parser)
      end

      def define_output(parser)
        parser.on("-o", "--output FILE", "default: standard output") { |file| @output = file }
        parser.on("--leaked", "of three dumps, what leaked between them") { @leaked = true }
        parser.on("--depth N", "frames below each other at most") do |number|
          options[:depth] = positive("depth", number)
        end
        parser.on("--frames N", "frames at most, the largest") do |number|
          options[:frames] = positive("frames", number)
        end
      end

      def define_details(parser)
        parser.on("--view VIEW", "of folded: retained (default), paths, sites") { |view| options[:view] = view }
        parser.on("--object ADDRESS", "of dot: whose neighbours to show") { |address| options[:object] = address }
        parser.on("--relation WHAT", "of dot: any (default), references,", "referrers, dominators") do |relation|
          options[:relation] = relation
        end
        parser.on("--limit N", "of dot: objects at most, default: 60") do |number|
          options[:limit] = positive("limit", number)
        end
      end

      def execute(paths)
        check(paths)
        # what leaked comes first: dumps that cannot be compared need not be read again
        options[:only] = watching { |bar| Diff.survivors(*paths, progress: bar) } if paths.size == 3
        load(paths.last).export(@export, @output || stdout, **title(paths), **options)
      end

      # Finding out after minutes of work would be too late.
      def check(paths)
        raise UsageError, "say which --format" unless @export

        check_number(paths)
        check_options
        return check_terminal unless @output

        raise UsageError, "#{@output} is a folder" if File.directory?(@output)
        raise UsageError, "there is no folder #{File.dirname(@output)}" unless File.directory?(File.dirname(@output))
        raise UsageError, "#{@output} is one of the dumps" if paths.any? { |path| File.identical?(path, @output) }
      end

      def check_number(paths)
        allowed = SIZED.include?(@export) ? [1, 3] : [1]
        allowed = [3] & allowed if @leaked
        raise UsageError, "#{@export} cannot tell what leaked from what did not" if allowed.empty?
        return if allowed.include?(paths.size)

        numbers = allowed.map { |number| number == 1 ? "one dump" : "three dumps" }.join(" or ")
        raise UsageError, "#{name} takes #{numbers}, got #{paths.size}"
      end

      def name = @export == "flame" && is_a?(FlameCommand) ? "flame" : "export --format #{@export}"

      def check_options
        known = Heap::Export::FORMATS.fetch(@export.to_sym)
        unknown = options.keys - known
        raise UsageError, "--#{unknown.first} is no option of #{@export}" unless unknown.empty?

        return unless @export == "dot" && !options[:object]

        raise UsageError,
              "dot shows the neighbours of one object: say --object"
      end

      def check_terminal
        return unless FOR_PROGRAMS.include?(@export) && Terminal.new(stdout).tty?

        raise UsageError, "#{@export} is not for a terminal: say where to write it with -o FILE"
      end

      def title(paths)
        return {} unless Heap::Export::FORMATS.fetch(@export.to_sym).include?(:title)

        names = paths.map { |path| File.basename(path) }
        { title: paths.size == 3 ? "leaked between #{names[0]} and #{names[1]}, still in #{names[2]}" : names.first }
      end
    end
  end
end
