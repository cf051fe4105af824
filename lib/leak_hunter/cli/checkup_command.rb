# frozen_string_literal: true

module LeakHunter
  class CLI
    # `leak_hunter checkup [1.json 2.json 3.json]`
    class CheckupCommand < FindingsCommand
      def self.formats = %w[text html markdown json sarif]

      def self.summary = "do all five steps: unused gems, known leaks, lint, code, dumps"

      private

      def define(parser)
        parser.banner = "Usage: leak_hunter checkup [OPTIONS] [DUMP...]"
        parser.separator "\nDoes all five steps that find a leak, for the project in the working directory:\n" \
                         "unused gems, known leaks of the others, lint, code that lets a collection grow,\n" \
                         "and what grows in three or more dumps. With dumps, what grows comes first, with\n" \
                         "what explains it. Says what it could not do. Settings: .leak_hunter.yml\n\n"
        define_findings(parser)
        define_project(parser)
      end

      def define_project(parser)
        parser.on("--dir FOLDER", "the project; default: the working directory") { |dir| @dir = dir }
        parser.on("--lock FILE", "default: the Gemfile.lock that Bundler finds") { |file| @lock = file }
        parser.on("--[no-]rubocop", "default: if the project has it") { |rubocop| @rubocop = rubocop }
        parser.on("--online", "ask the sources of gems for newer versions") { @online = true }
        parser.on("--threads N", Integer, "default: one for each core") { |threads| @threads = threads }
      end

      def execute(paths)
        check_output(paths)
        checkup = checkup(paths)
        deliver(render(checkup))
        conclude(checkup.findings, inconclusive: checkup.inconclusive?)
      end

      def checkup(paths)
        bar = ProgressBar.for(stderr, "reading dumps") unless json? || paths.empty?
        dir = @dir || WorkingDirectory.path
        settle_fail_on(Project::Settings.load(dir))
        subject = Checkup::Subject.new(paths, dir:, lock: @lock, rubocop: @rubocop, online: @online ? true : false,
                                              evaluate_gemfile: true, threads: @threads || :all, progress: bar,
                                              say: ->(text) { stderr.write("leak_hunter: #{Printable.call(text)}\n") })
        Checkup.run(subject)
      ensure
        bar&.finish
      end

      def render(checkup)
        case @format
        when "json" then "#{Printable.json(checkup.to_json)}\n"
        when "sarif" then "#{Printable.json(sarif(checkup))}\n"
        when "html" then checkup.to_html
        when "markdown" then checkup.to_markdown
        else checkup.to_s(color:, width:)
        end
      end

      def sarif(checkup)
        require "json"
        JSON.generate(checkup.to_sarif)
      end
    end
  end
end
