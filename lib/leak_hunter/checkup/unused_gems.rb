# frozen_string_literal: true

module LeakHunter
  class Checkup
    # Step 1: gems that nothing seems to use. What is not there cannot leak.
    class UnusedGems
      TITLE = "remove unused gems"

      def initialize(subject, number)
        @subject = subject
        @number = number
      end

      # @return [Step]
      def call
        return not_done unless @subject.lockfile

        gems = Gems.call(@subject.heap, dir: @subject.dir, lockfile: @subject.lockfile, heap: process?,
                                        manifest: @subject.manifest)
        ignored, unused = gems.select { |gem| gem[:verdict] == "probably_unused" }.partition { |gem| gem[:ignored] }
        Step.new(number: @number, name: "unused_gems", title: TITLE, status:, summary: summary(gems, unused),
                 findings: unused.map { |gem| finding(gem) }, ignored: ignored.size, notes:)
      end

      private

      def not_done
        Step.not_done(number: @number, name: "unused_gems", title: TITLE, notes: [@subject.problem_with_lockfile])
      end

      def process? = @subject.live || !@subject.heap.nil?

      def status = process? ? "done" : "partly"

      def summary(gems, unused)
        unknown = gems.count { |gem| gem[:verdict] == "unknown" }
        all = Report::Format.counted(gems.size, "gem")
        text = "#{unused.size} of #{all} #{unused.size == 1 ? "seems" : "seem"} unused"
        unknown.zero? ? "#{text}." : "#{text}; of #{unknown} this is not known."
      end

      def notes
        return [] if process?

        ["Only files were read. A dump of the running process says more: leak_hunter checkup DUMP"]
      end

      def finding(gem)
        Finding.make(step: @number, id: "unused_gem", subject: "#{gem[:name]} #{gem[:version]}",
                     severity: gem[:severity],
                     message: "Probably unused (#{gem[:confidence]} confidence).", evidence: gem[:reasons],
                     fix: fix(gem), **@subject.place_in_lockfile(gem[:name]))
      end

      def fix(gem)
        saves = gem[:saves] || {}
        others = saves[:gems].to_a - [gem[:name]]
        text = +"Remove it from the Gemfile, and run your tests without it."
        text << " #{others.join(", ")} #{others.size == 1 ? "leaves" : "leave"} with it." if others.any?
        text << " This saves #{Report::Format.bytes(saves[:bytes])}." if saves[:bytes].to_i.positive?
        text
      end
    end
  end
end
