# frozen_string_literal: true

module LeakHunter
  class CLI
    # `leak_hunter diff 1.json 2.json 3.json`
    class DiffCommand < Command
      FORMATS = %w[text classic json].freeze
      CLASSIC_KEYS = %w[type file line].freeze
      TEXT_GROUPS = 20

      # The text sums up groups of the VM's own; they must not crowd out those to show.
      TEXT_GROUPS_READ = 1_000

      def self.summary = "name what was born between two dumps and is still in the third"

      private

      def define(parser)
        parser.banner = "Usage: leak_hunter diff [OPTIONS] FIRST SECOND THIRD"
        parser.separator "\nThree dumps of one process, in the order in which they were taken.\n\n"
        define_output(parser)
        define_groups(parser)
        define_filters(parser)
        define_comparison(parser)
      end

      def define_output(parser)
        parser.on("--format FORMAT", "text (default), classic or json") { |format| @format = parse_format(format) }
        parser.on("--output FILE", "write there instead of to standard output") { |file| @output = file }
        parser.on("--[no-]color", "default: only on a terminal") { |color| @color = color }
      end

      def define_groups(parser)
        parser.on("--group-by KEYS", Array, "any of type,class,file,line,method,gem,generation;",
                  "default: type,class,file,line,method") { |keys| options[:group_by] = keys }
        parser.on("--sort SIZE", "memsize, count or bytesize;",
                  "default: memsize, for classic count") { |size| options[:sort] = size }
        parser.on("--top N", "show the N largest groups, or all;",
                  "default: #{TEXT_GROUPS}, for classic and json all") { |number| @top = parse_top(number) }
      end

      def define_filters(parser)
        parser.on("--only PATTERN", "keep only what matches in class or file;",
                  "/.../ is a regular expression;",
                  "may be given more than once") { |text| (options[:only] ||= []) << parse_pattern(text) }
        parser.on("--ignore PATTERN", "leave out what matches in class or file;",
                  "may be given more than once") { |text| (options[:ignore] ||= []) << parse_pattern(text) }
      end

      def define_comparison(parser)
        parser.on("--identity BY", "auto (default), or address: the answer of",
                  "the classic three-dump script") { |identity| options[:identity] = identity }
        parser.on("--[no-]holders", "name who holds what leaked; default: yes,",
                  "but for classic and --identity address") { |holders| options[:holders] = holders }
        parser.on("--threads N", Integer, "default: one core stays free") { |threads| options[:threads] = threads }
      end

      def execute(paths)
        raise UsageError, "diff takes three dumps, got #{paths.size}" unless paths.size == 3

        imply_classic if @format == "classic"
        options[:holders] = @format != "classic" && options[:identity] != "address" unless options.key?(:holders)
        check_output(paths)
        write(render(Report.new(compare(paths))))
      end

      # The classic format has no other groups.
      def imply_classic
        keys = options[:group_by] ||= CLASSIC_KEYS
        raise UsageError, "--format classic groups by #{CLASSIC_KEYS.join(",")}" if keys.sort != CLASSIC_KEYS.sort

        options[:sort] ||= "count"
      end

      # Finding out after minutes of work would be too late.
      def check_output(paths)
        return unless @output

        raise UsageError, "#{@output} is a folder" if File.directory?(@output)
        raise UsageError, "there is no folder #{File.dirname(@output)}" unless File.directory?(File.dirname(@output))
        raise UsageError, "#{@output} is one of the dumps" if paths.any? { |path| File.identical?(path, @output) }
      end

      def compare(paths)
        bar = ProgressBar.for(stderr) unless @format == "json"
        LeakHunter.diff(*paths, **options, top: groups_read, progress: bar)
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
        when "json" then "#{report.to_json}\n"
        when "classic" then report.to_classic(sort: options[:sort])
        else report.to_s(color:, width:, top: groups_shown)
        end
      end

      def color
        return @color unless @color.nil?

        @output ? false : stdout
      end

      def width = @output ? Terminal::WIDTH : Terminal.new(stdout).width(max: 120)

      def write(text)
        return stdout.write(text) unless @output

        begin
          File.write(@output, text)
        rescue SystemCallError => e
          raise WriteError, "cannot write #{@output}: #{e.message}"
        end
      end

      def parse_format(name)
        return name if FORMATS.include?(name)

        raise UsageError, "--format: expected #{FORMATS.join(", ")}, got #{name}"
      end

      def parse_top(number)
        return :all if number == "all"

        number.match?(/\A\d+\z/) or raise UsageError, "--top: expected a number or all, got #{number}"
        number.to_i
      end

      # /.../ with Ruby's flags, or plain text
      def parse_pattern(text)
        source, flags = text.match(%r{\A/(.+)/([mix]*)\z}m)&.captures
        return text unless source

        options = { "m" => Regexp::MULTILINE, "i" => Regexp::IGNORECASE, "x" => Regexp::EXTENDED }
        Regexp.new(source, flags.chars.sum { |flag| options.fetch(flag) })
      rescue RegexpError => e
        raise UsageError, "#{text} is no regular expression: #{e.message}"
      end
    end
  end
end
