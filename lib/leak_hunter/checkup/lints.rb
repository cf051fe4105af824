# frozen_string_literal: true

module LeakHunter
  class Checkup
    # Step 3: what the project's RuboCop says that has to do with memory.
    class Lints
      TITLE = "lint"

      def initialize(subject, number)
        @subject = subject
        @number = number
        @lint = subject.lint
      end

      # @return [Step]
      def call
        version = @lint.rubocop_version
        notes = @lint.rubocop_problems
        return Step.not_done(number: @number, name: "lint", title: TITLE, notes:) unless version

        Step.new(number: @number, name: "lint", title: TITLE, status: "done", summary:, findings:,
                 notes: ["With #{version}.", *notes])
      end

      private

      def offences = @offences ||= @lint.findings.reject { |finding| finding[:rule].start_with?(Lint::OWN) }

      def findings = offences.map { |finding| Patterns.finding(finding, @number) }

      def summary
        files = offences.map { |offence| offence[:path] }.uniq.size
        return "no offences." if offences.empty?

        "#{Report::Format.counted(offences.size, "offence")} in #{Report::Format.counted(files, "file")}."
      end
    end
  end
end
