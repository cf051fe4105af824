# frozen_string_literal: true

module LeakHunter
  class RakeTask
    # One run of a leak task: warm-up, three dumps with rounds between them, report, verdict.
    class Exercise
      # Depth of calls that overwrites what the rounds left on the unused machine stack, where the conservative garbage
      # collector would take it for references.
      SCRUB_DEPTH = 100

      # Inline caches: one for each call in the code, however often that runs.
      VM_CACHES = %r{\A(?:callcache|callinfo|constcache|VM/cc_table)\z}

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
        [@task.warmup, @task.rounds, @task.rounds].each do |rounds|
          rounds.times { @task.exercise.call(@round += 1) }
          scrub
          @dumps << LeakHunter.dump!(dir: @task.dir).path
        end
        options = @task.diff_options
        options = { holders: options[:identity].to_s != "address", **options }
        LeakHunter.diff(*@dumps, **options, ignore: [VM_CACHES, *options[:ignore]])
      end

      def scrub(depth = SCRUB_DEPTH) = depth.positive? && [depth].each { scrub(depth - 1) }

      def render(report)
        case @task.format&.to_sym
        when :classic then report.to_classic
        when :json then report.to_json
        else report.to_s(color: $stdout, top: @task.top || 20,
                         width: Terminal.new($stdout).width(max: 120))
        end
      end

      def judge(result)
        over = @budget.exceeded_by(result)
        rounds = Report::Format.counted(@task.rounds, "round")
        return puts("", "#{@name}: within budget; no group retained more than #{@budget} in #{rounds}.") if over.empty?

        $stdout.flush # so that the reason comes last
        abort ["", *over.first(5).map { |group| "#{@name}: #{describe(group)} retained in #{rounds}" },
               "#{@name}: #{Report::Format.counted(over.size, "group")} over budget (#{@budget} per group)"].join("\n")
      end

      def describe(group)
        words = Report::Group.new(group)
        "#{Report::Format.count(group[:count])} #{words.title} (#{Report::Format.bytes(group[:memsize])}) " \
          "#{words.detail(200)&.then { |place| "allocated at #{place}" }}"
      end

      def announce = puts("", "Dumps: #{@dumps.map { |path| Printable.call(path) }.join(" ")}")
    end
  end
end
