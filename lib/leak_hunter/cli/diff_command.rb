# frozen_string_literal: true

require "leak_hunter/output_file"

module LeakHunter
  class CLI
    # `leak_hunter diff 1.json 2.json 3.json`
    class DiffCommand < Command
      FORMATS = %w[text classic json].freeze
      CLASSIC_KEYS = %w[type file line].freeze
      TEXT_GROUPS = 20

      # The text sums up groups of the VM's own; they must not crowd out those to show.
      TEXT_GROUPS_READ = 1_000

      def self.summary = "compare three dumps: what leaked, and what holds it"

      private

      def define(parser)
        parser.banner = "Usage: leak_hunter diff [OPTIONS] FIRST SECOND THIRD"
        parser.separator "\nShows the objects that were allocated between the first and the second dump and\n" \
                         "are still alive in the third, and what holds them. The dumps are of one process,\n" \
                         "in the order in which they were taken.\n\n"
        define_output(parser)
        define_groups(parser)
        define_filters(parser)
        define_comparison(parser)
      end

      def define_output(parser)
        parser.on("--format FORMAT", "text (default), classic or json") { |format| @format = parse_format(format) }
        parser.on("--output FILE", "write to a file instead of standard output") { |file| @output = file }
        parser.on("--[no-]color", "default: only on a terminal") { |color| @color = color }
      end

      def define_groups(parser)
        parser.on("--group-by KEYS", Array, "any of type,class,file,line,method,gem,generation;",
                  "default: type,class,file,line,method") { |keys| options[:group_by] = keys }
        parser.on("--sort SIZE", "memsize, count or bytesize;",
                  "default: memsize; count for classic") { |size| options[:sort] = size }
        parser.on("--top N", "show the N largest groups, or all;",
                  "default: #{TEXT_GROUPS}; all for classic and json") { |number| @top = parse_top(number) }
      end

      def define_filters(parser)
        parser.on("--only PATTERN", "keep objects whose class or file matches;",
                  "/.../ is a regular expression; may be repeated") do |text|
          (options[:only] ||= []) << parse_pattern("only", text)
        end
        parser.on("--ignore PATTERN", "leave out objects whose class or file matches;",
                  "may be repeated") { |text| (options[:ignore] ||= []) << parse_pattern("ignore", text) }
      end

      def define_comparison(parser)
        parser.on("--identity BY", "auto (default), or address: as the classic",
                  "three-dump script compares") { |identity| options[:identity] = identity }
        parser.on("--[no-]holders", "show what holds the leaked objects; default: yes,",
                  "except for classic and --identity address") { |holders| options[:holders] = holders }
        parser.on("--redact", "leave keys of thread-locals out of all names") { options[:redact] = true }
        parser.on("--threads N", Integer, "default: one for each core") { |threads| options[:threads] = threads }
      end

      def execute(paths)
        raise UsageError, "diff: expected three dumps, got #{paths.size}" unless paths.size == 3

        imply_classic if @format == "classic"
        options[:holders] = @format != "classic" && options[:identity] != "address" unless options.key?(:holders)
        check_output(paths)
        deliver(render(Report.new(compare(paths))))
      end

      # The classic format has no other groups.
      def imply_classic
        keys = options[:group_by] ||= CLASSIC_KEYS
        if keys.sort != CLASSIC_KEYS.sort
          raise UsageError, "--format classic: --group-by can only be #{CLASSIC_KEYS.join(",")}"
        end

        options[:sort] ||= "count"
      end

      def compare(paths)
        bar = ProgressBar.for(stderr) unless @format == "json"
        LeakHunter.diff(*paths, threads: :all, **options, top: groups_read, progress: bar)
      ensure
        bar&.finish
      end

      def groups_read
        return if @top == :all

        text? ? [@top || TEXT_GROUPS, TEXT_GROUPS_READ].max : @top
      end

      def groups_shown = @top == :all ? nil : @top || TEXT_GROUPS

      def text? = @format.nil? || @format == "text"

      def render(report)
        case @format
        when "json" then "#{Printable.json(report.to_json)}\n"
        when "classic" then report.to_classic(sort: options[:sort])
        else report.to_s(color:, width:, top: groups_shown)
        end
      end

      def color
        return @color unless @color.nil?

        @output ? false : stdout
      end

      def width = @output ? Terminal::WIDTH : Terminal.new(stdout).width(max: 120)

      def deliver(text)
        return write(text) unless @output

        begin
          OutputFile.write(@output, overwrite: true) { |io| io.write(text) }
        rescue SystemCallError => e
          raise WriteError.new(@output, e)
        end
      end

      def parse_format(name)
        return name if FORMATS.include?(name)

        raise UsageError, "--format: expected #{FORMATS.join(", ")}, got #{Printable.call(name)}"
      end

      def parse_top(number)
        return :all if number == "all"

        number.match?(/\A\d{1,10}\z/) or
          raise UsageError, "--top: expected a number or all, got #{Printable.call(number)}"
        number.to_i
      end

      # /.../ with Ruby's flags, or plain text
      def parse_pattern(option, text)
        source, flags = text.match(%r{\A/(.+)/([mix]*)\z}m)&.captures
        return text unless source

        options = { "m" => Regexp::MULTILINE, "i" => Regexp::IGNORECASE, "x" => Regexp::EXTENDED }
        Regexp.new(source, flags.chars.sum { |flag| options.fetch(flag) })
      rescue RegexpError => e
        raise UsageError, "--#{option}: invalid regular expression: #{Printable.call(e.message)}"
      end
    end
  end
end
