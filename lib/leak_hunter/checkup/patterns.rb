# frozen_string_literal: true

module LeakHunter
  class Checkup
    # Step 4: code that lets something grow without an end, by LeakHunter's own rules.
    class Patterns
      TITLE = "read for what grows"

      # @param found [Hash] a finding of {Lint}
      # @return [Hash] a {Finding}
      def self.finding(found, step)
        grown = "#{Report::Format.bytes(found[:grown])} grew in this file, or in classes that it defines." if
          found[:grown].positive?
        Finding.make(step:, id: found[:rule], subject: found[:variable] || found[:rule], severity: found[:severity],
                     confirmed: found[:confirmed], message: found[:message], evidence: [*found[:evidence], *grown],
                     fix: found[:fix], path: found[:path], line: found[:line], holders: found[:holders],
                     fingerprint: found[:fingerprint])
      end

      def initialize(subject, number)
        @number = number
        @lint = subject.lint
      end

      # @return [Step]
      def call
        found = @lint.findings.select { |finding| finding[:rule].start_with?(Lint::OWN) }
        findings = found.map { |finding| self.class.finding(finding, @number) }
        Step.new(number: @number, name: "patterns", title: TITLE, status: "done", summary: summary(found), findings:,
                 ignored: @lint.ignored + @lint.known, notes: @lint.notes)
      end

      private

      def summary(found)
        files = Report::Format.counted(@lint.files, "file")
        return "nothing in #{files}." if found.empty?

        confirmed = found.count { |finding| finding[:confirmed] }
        text = "#{Report::Format.counted(found.size, "finding")} in #{files}"
        confirmed.zero? ? "#{text}." : "#{text}; the heap shows #{confirmed}."
      end
    end
  end
end
