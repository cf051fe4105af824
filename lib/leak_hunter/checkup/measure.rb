# frozen_string_literal: true

module LeakHunter
  class Checkup
    # Step 5: what grows, by three or more moments of the process.
    class Measure
      TITLE = "measure what grows"
      HOW = "Take three heap dumps of the running process, with work between them (LeakHunter.dump! or POST " \
            "/leaks/dumps), and run: leak_hunter checkup 1.json 2.json 3.json"

      def initialize(subject, number)
        @subject = subject
        @number = number
        @report = subject.report
      end

      # @return [Step]
      def call
        return not_done unless @report

        findings = @subject.growing.map { |holder| finding(holder) }
        Step.new(number: @number, name: "measure", title: TITLE, status: "done", summary:, findings:, notes:,
                 inconclusive: @report.verdict == "undecided")
      end

      private

      def not_done
        Step.not_done(number: @number, name: "measure", title: TITLE, notes: [*@subject.problem_with_moments, HOW],
                      inconclusive: !@subject.problem_with_moments.nil?)
      end

      def summary = Report::Headline.new(@report.to_h).to_s

      def notes
        [Report::Ledger.new(@report.to_h).to_s].compact
      end

      def finding(holder)
        words = Report::Holder.new(holder, @report.to_h)
        site = holder[:entries].to_h
        Finding.make(step: @number, id: "growing", subject: words.name, severity: "high", confirmed: true,
                     message: "It grows: #{words.rate}.", evidence: [words.size],
                     fix: words.fixes.first, holders: [holder[:fingerprint]], fingerprint: holder[:fingerprint],
                     **@subject.place(site[:file], site[:line]))
      end
    end
  end
end
