# frozen_string_literal: true

module LeakHunter
  class RakeTask
    # One run of a leak task: warm-up, three dumps with rounds between them, report, verdict. Where three dumps do not
    # tell whether something grows, there is a fourth, and a fifth.
    class Exercise
      # Depth of calls that overwrites what the rounds left on the unused machine stack, where the conservative garbage
      # collector would take it for references.
      SCRUB_DEPTH = 100

      DUMPS = (3..5)

      def initialize(task, name)
        @task = task
        @name = name
        @round = 0
        @dumps = []
        check
        @budget = Budget.new(task.budget, rounds: task.rounds)
      end

      def run
        result = keeping_tracing { record }
        puts render(Report.new(result))
        judge(result)
      ensure
        @task.keep ? announce : FileUtils.rm_f(@dumps)
      end

      private

      def check
        { rounds: 1..1_000_000_000, warmup: 0..1_000_000_000 }.each do |name, range|
          Arguments.integer(name, @task.public_send(name), range)
        end
        Arguments.one_of(:kind, @task.kind, Recorder::Moment::KINDS) if @task.kind
      end

      # Leaves tracing as it was.
      def keeping_tracing
        traced = LeakHunter.tracing?
        LeakHunter.trace!
        yield
      ensure
        LeakHunter.untrace! unless traced
      end

      def record
        @task.setup&.call
        [@task.warmup, *[@task.rounds] * (DUMPS.begin - 1)].each { |rounds| dump_after(rounds) }
        result = compare
        while @dumps.size < DUMPS.end && result.dig(:verdict, :another_moment_settles)
          dump_after(@task.rounds)
          result = compare
        end
        result
      end

      def dump_after(rounds)
        rounds.times { @task.exercise.call(@round += 1) }
        scrub
        @dumps << Recorder::Moment.take(kind: @task.kind, dir: @task.dir).path
      end

      def compare
        options = @task.diff_options
        LeakHunter.diff(*@dumps, holders: options[:identity].to_s != "address", **options)
      end

      def scrub(depth = SCRUB_DEPTH) = depth.positive? && [depth].each { scrub(depth - 1) }

      def render(report)
        case @task.format&.to_sym
        when :classic then report.to_classic
        when :json then report.to_json
        else text(report)
        end
      end

      # It names no command for dumps that are removed in a moment.
      def text(report)
        result = report.to_h
        result = { **result, dumps: result[:dumps].map { |dump| { **dump, path: nil } } } unless @task.keep
        Report.new(result).to_s(color: $stdout, top: @task.top || 20, width: Terminal.new($stdout).width(max: 120))
      end

      def judge(result)
        over = @budget.exceeded_by(result)
        noun = result[:holders] ? "holder that grows" : "group"
        rounds = Report::Format.counted(@task.rounds, "round")
        if over.empty?
          return puts("", "#{@name}: within budget; no #{noun} retained more than #{@budget} in #{rounds}.")
        end

        puts "", "The dumps are removed. With `task.keep = true` they stay, for `leak_hunter why`." unless @task.keep
        $stdout.flush # so that the reason comes last
        abort ["", *over.first(5).map { |item| "#{@name}: #{describe(item, result)}" },
               "#{@name}: #{over.size} over budget (#{@budget} for each #{noun} in #{rounds})"].join("\n")
      end

      def describe(item, result)
        return describe_group(item) unless result[:holders]

        holder = Report::Holder.new(item, result)
        "#{holder.name} grows: #{holder.size}#{holder.code&.then { |place| ", allocated at #{place}" }}"
      end

      def describe_group(group)
        words = Report::Group.new(group)
        "#{Report::Format.count(group[:count])} #{words.title} (#{Report::Format.bytes(group[:memsize])}) retained" \
          "#{words.detail(200)&.then { |place| ", allocated at #{place}" }}"
      end

      def announce = puts("", "Dumps: #{@dumps.map { |path| Printable.call(path) }.join(" ")}")
    end
  end
end
