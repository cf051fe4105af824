# frozen_string_literal: true

module LeakHunter
  class Checkup
    # Step 2: gems that are known to leak in the versions that the project has.
    class KnownLeaks
      TITLE = "look up known leaks"

      def initialize(subject, number)
        @subject = subject
        @number = number
        @unanswered = false
      end

      # @return [Step]
      def call
        return not_done unless @subject.lockfile

        found = Advisories.of(@subject.lockfile, heap: @subject.heap, report: @subject.report).findings
        ignores = @subject.settings.ignores("advisories")
        ignored, left = found.partition { |advisory| ignores.find(advisory[:id]) }
        Step.new(number: @number, name: "known_leaks", title: TITLE, status: "done", summary: summary(left),
                 findings: left.map { |advisory| finding(advisory) }, ignored: ignored.size, notes: notes(left),
                 inconclusive: @unanswered)
      end

      private

      def not_done
        Step.not_done(number: @number, name: "known_leaks", title: TITLE, notes: [@subject.problem_with_lockfile])
      end

      def notes(found)
        growing = growing_gems
        links = growing.flat_map { |gem| links(gem) }
        return links unless @subject.online

        names = [*growing.map { |gem| gem[:gem] }, *found.map { |advisory| advisory[:gem] }].uniq
        [*links, *newer(names)]
      end

      # Those that allocated a good part of it.
      def growing_gems
        gems = @subject.report ? Advisories::GrowingGems.call(@subject.report.to_h) : []
        most = gems.map { |gem| gem[:memsize] }.max.to_i
        gems.select { |gem| gem[:memsize] * 10 >= most }
      end

      # Where to read on about a gem whose objects grow.
      def links(gem)
        { search: "What others say of leaks in it", changelog: "Its changelog" }.filter_map do |key, what|
          "#{gem[:gem]} allocated what grows. #{what}: #{gem[key]}" if gem[key]
        end
      end

      # What newer releases say, by the sources that the user's own RubyGems has.
      def newer(names)
        search = Advisories::NewerReleases.new(@subject.lockfile, names)
        @subject.say("asking #{search.sources.join(", ")} about #{names.join(", ")}")
        found = search.call.map { |release| "#{release[:gem]} #{release[:fixed_in]}: #{release[:text]}" }
        @unanswered = search.failures.any?
        [*found, *search.failures]
      end

      def summary(found)
        gems = @subject.lockfile.names.size
        return "none in #{Report::Format.counted(gems, "gem")}." if found.empty?

        confirmed = found.count { |advisory| advisory[:confirmed] }
        text = "#{found.size} in #{Report::Format.counted(gems, "gem")}"
        confirmed.zero? ? "#{text}." : "#{text}; the heap shows #{confirmed}."
      end

      def finding(advisory)
        Finding.make(step: @number, id: advisory[:id], subject: "#{advisory[:gem]} #{advisory[:version]}",
                     severity: advisory[:severity], confirmed: advisory[:confirmed], message: message(advisory),
                     evidence: [advisory[:mechanism], advisory[:evidence]].compact,
                     fix: fix(advisory), holders: advisory[:holders], links: advisory[:references],
                     **@subject.place_in_lockfile(advisory[:gem]))
      end

      # What is needed for it to happen tells whether it matters.
      def message(advisory)
        trigger = " It takes: #{advisory[:trigger]}." if advisory[:trigger]
        fixed = " Fixed in #{advisory[:fixed_in]}." if advisory[:fixed_in]
        "#{advisory[:title]}.#{trigger}#{fixed}"
      end

      def fix(advisory)
        update = "Update #{advisory[:gem]} to #{advisory[:fixed_in]} or newer." if advisory[:fixed_in]
        workaround = "#{update ? "Or" : "Do this"}: #{advisory[:workaround]}." if advisory[:workaround]
        text = [update, workaround].compact.join(" ")
        text unless text.empty?
      end
    end
  end
end
