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
        problems = @lint.rubocop_problems
        Step.new(number: @number, name: "lint", title: TITLE, status: version ? "done" : "not_done",
                 summary: version ? summary : "Not done.", findings:, notes: [*(if version
                                                                                  "With #{version}."
                                                                                end), *problems])
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
