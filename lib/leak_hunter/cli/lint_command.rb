# frozen_string_literal: true

module LeakHunter
  class CLI
    # `leak_hunter lint [FOLDER]`
    class LintCommand < FindingsCommand
      def self.summary = "read code for what may leak: LeakHunter's rules, and RuboCop"

      private

      def define(parser)
        parser.banner = "Usage: leak_hunter lint [OPTIONS] [FOLDER]"
        parser.separator "\nReads the code of a project for what may leak: with LeakHunter's own rules\n" \
                         "(docs/rules.md), and with the project's RuboCop, if it has one. What grows in the\n" \
                         "dumps comes first.\n\n"
        define_findings(parser)
        parser.on("--dumps FILES", Array, "three or more, separated by commas") { |dumps| @dumps = dumps }
        parser.on("--[no-]rubocop", "default: if the project has it") { |rubocop| @rubocop = rubocop }
        parser.on("--update-baseline", "write all findings to the baseline, which",
                  "leaves them out from then on") { @update = true }
      end

      def execute(paths)
        raise UsageError, "lint: expected one folder, got #{paths.size}" if paths.size > 1

        check_output([])
        dir = paths.first || WorkingDirectory.path
        settings = Project::Settings.load(dir)
        settle_fail_on(settings)
        lint = Lint.new(dir, report:, settings:, rubocop: @rubocop, lockfile: Project::Lockfile.of(dir),
                             threads: :all)
        return update(lint, settings) if @update

        json? ? write_json(lint) : deliver(Lint::Text.new(lint, color: Terminal.color?(color), width:).to_s)
        conclude(lint.findings)
      end

      def report
        return unless @dumps
        raise UsageError, "--dumps: expected three dumps or more, got #{@dumps.size}" if @dumps.size < 3

        LeakHunter.diff(*@dumps, holders: true, threads: :all)
      end

      def update(lint, settings)
        baseline = Lint::Baseline.new(File.expand_path(settings.baseline || Lint::Baseline::FILE, lint.dir), [])
        baseline.write(lint.all)
        write("#{Report::Format.counted(lint.all.size, "finding")} written to #{Printable.call(baseline.path)}\n")
      end

      def write_json(lint)
        deliver_json(dir: lint.dir, files: lint.files, findings: lint.findings,
                     notes: [*lint.notes, *lint.rubocop_problems], rubocop: lint.rubocop_version,
                     ignored: lint.ignored, known: lint.known, stale: lint.stale)
      end
    end
  end
end
