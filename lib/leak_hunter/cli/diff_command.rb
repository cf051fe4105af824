# frozen_string_literal: true

module LeakHunter
  class CLI
    # `leak_hunter diff 1.json 2.json 3.json`, or more of them
    class DiffCommand < Command
      FORMATS = %w[text html markdown json classic].freeze
      CLASSIC_KEYS = %w[type file line].freeze
      TEXT_GROUPS = 20
      HOLDERS = 5
      SITE = %w[file line method].freeze

      # The text sums up groups of the VM's own; they must not crowd out those to show.
      TEXT_GROUPS_READ = 1_000

      def self.summary = "compare three or more dumps: what leaked, and what holds it"

      private

      def define(parser)
        parser.banner = "Usage: leak_hunter diff [OPTIONS] FIRST SECOND THIRD..."
        parser.separator "\nShows the objects that were allocated between the first and the last but one\n" \
                         "dump and are still alive in the last, and what holds them. The dumps are of one\n" \
                         "process, in the order in which they were taken. More than three say more surely\n" \
                         "what grows.\n\n"
        define_output(parser)
        define_groups(parser)
        define_filters(parser)
        define_comparison(parser)
      end

      def define_output(parser)
        parser.on("--format FORMAT", "text (default), html, markdown, json or classic") do |format|
          @format = one_of("format", format, FORMATS)
        end
        parser.on("--output FILE", "write to a file instead of standard output") { |file| @output = file }
        parser.on("--[no-]color", "default: only on a terminal") { |color| @color = color }
        define_width(parser)
      end

      def define_groups(parser)
        parser.on("--by KEYS", "--group-by KEYS", Array, "any of site,type,class,file,line,method,gem,",
                  "generation; site is file,line,method; also shows",
                  "the groups below the holders;",
                  "default: type,class,site") do |keys|
          @sites = true
          options[:group_by] = parse_keys(keys)
        end
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
        parser.on("--[no-]holders[=N]", "show N holders of the leaked objects, or all;",
                  "default: #{HOLDERS}; none for classic and",
                  "for --identity address") { |number| parse_holders(number) }
        parser.on("--redact", "leave keys of thread-locals out of all names") { options[:redact] = true }
        parser.on("--threads N", Integer, "default: one for each core") { |threads| options[:threads] = threads }
        parser.on("--timings", "say on standard error where the time went") { options[:timings] = true }
      end

      def execute(paths)
        check_number(paths)
        imply_classic if @format == "classic"
        options[:holders] = @format != "classic" && options[:identity] != "address" unless options.key?(:holders)
        options[:flame] = @format == "html" && options[:holders]
        check_output(paths)
        timings = Timings.new(Arguments.threads(options.fetch(:threads, :all))) if options[:timings]
        report = compare(paths)
        timings&.add_diff(report.to_h)
        LastReport.note(report.to_h, paths.last)
        deliver(render(report))
        timings&.add("report")
        stderr.write(timings.to_s) if timings
      end

      def check_number(paths)
        raise UsageError, "diff: expected three dumps or more, got #{paths.size}" if paths.size < 3
        return if paths.size == 3 || options[:identity] != "address"

        raise UsageError, "diff: --identity address takes three dumps, got #{paths.size}"
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
        bar = ProgressBar.for(stderr, "comparing dumps") unless @format == "json"
        result = LeakHunter.diff(*paths, threads: :all, **options, top: groups_read, progress: bar)
        Report.new(result)
      ensure
        bar&.finish
      end

      def groups_read
        return if @top == :all

        text? ? [@top || TEXT_GROUPS, TEXT_GROUPS_READ].max : @top
      end

      def groups_shown = @top == :all ? nil : @top || TEXT_GROUPS

      def holders_shown = @holders == :all ? nil : @holders || HOLDERS

      def text? = ["text", "html", "markdown", nil].include?(@format)

      def render(report)
        case @format
        when "json" then "#{Printable.json(json(report))}\n"
        when "classic" then report.to_classic(sort: options[:sort])
        when "html" then report.to_html
        when "markdown" then report.to_markdown(holders: holders_shown, top: groups_shown)
        else report.to_s(color:, width:, top: groups_shown, holders: holders_shown, sites: @sites || !@top.nil? || nil)
        end
      end

      # All holders, unless told otherwise.
      def json(report)
        return report.to_json unless @holders.is_a?(Integer) && report.to_h[:holders]

        Report.new({ **report.to_h, holders: report.to_h[:holders].first(@holders) }).to_json
      end

      def width = @width || (@output ? Terminal::WIDTH : Terminal.new(stdout).width(max: 120))

      def parse_top(number) = number_or_all("top", number)

      # Without a number, as many as by default; 0 is none.
      def parse_holders(number)
        @holders = number.is_a?(String) ? number_or_all("holders", number) : nil
        options[:holders] = number != false && @holders != 0
      end

      def number_or_all(option, text)
        return :all if text == "all"

        text.match?(/\A\d{1,9}\z/) or
          raise UsageError, "--#{option}: expected a number or all, got #{Printable.call(text)}"
        text.to_i
      end

      def parse_keys(keys)
        keys.flat_map { |key| key == "site" ? SITE : [one_of("by", key, ["site", *Diff::Options::GROUP_KEYS])] }
      end

      # The number may follow `--holders`; what else does is a dump.
      def parse(argv)
        options_end = argv.index("--") || argv.size
        argv = argv.each_with_index.chunk_while do |(option, index), (value, _)|
          option == "--holders" && index < options_end && value.match?(/\A(?:\d+|all)\z/n)
        end
        super(argv.map { |pair| pair.map(&:first).join("=") })
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
