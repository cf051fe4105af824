# frozen_string_literal: true

module LeakHunter
  class Checkup
    # What every format says in the same words.
    class Words
      include Report::Format

      def initialize(checkup)
        @checkup = checkup
      end

      # @return [String] the answer, in a sentence or two
      def headline
        printable([grows, found, open].compact.join(" "))
      end

      # @param step [Step]
      # @return [String] "Step 1, remove unused gems: 2 of 8 gems seem unused."
      def title(step) = printable("Step #{step.number}, #{step.title}: #{step.summary}")

      # @return [String] "redis 4.8.0"
      def about(finding)
        confirmed = confirmed(finding)
        printable("#{finding[:subject]}#{" (#{confirmed})" if confirmed}")
      end

      # @return [String] "lib/prices.rb:11: …"
      def message(finding) = [place(finding), printable(finding[:message])].compact.join(": ")

      # What is said of a leak in every format.
      #
      # @return [Array<Array(String, String)>] labels and texts
      def facts(growth)
        [["rate", "#{growth.rate}; #{growth.size}"], *causes(growth).map { |cause| ["cause", cause] },
         ["code", growth.code], ["fix", growth.fix]].select { |_, text| text && !text.empty? }
      end

      # What is said of a finding below its message.
      #
      # @return [Array<Array(String, String)>] labels and texts
      def details(finding)
        [*finding[:evidence].map { |text| ["why", text] }, ["fix", finding[:fix]],
         *finding[:links].map { |link| ["see", link] }].filter_map { |name, text| [name, printable(text)] if text }
      end

      # @return [Array<String>] what was left out or not done
      def notes(step)
        left_out = "#{counted(step.ignored, "finding")} left out, as #{Project::Settings::FILE} says." if
          step.ignored.positive?
        [*left_out, *step.notes].map { |note| printable(note) }
      end

      # @return [String, nil]
      def more(number) = ("#{counted(number, "more finding")}: --format json has all." if number.positive?)

      # @return [Array<String>] what no longer counts
      def expired
        @checkup.expired.map do |entry|
          printable("#{Project::Settings::FILE}: #{entry.name} was ignored until #{entry.until.iso8601}, " \
                    "and counts again.")
        end
      end

      private

      # Why it grows, as far as the other steps say.
      def causes(growth)
        return ["no finding of the other steps is known to explain it"] if growth.causes.empty?

        growth.causes.map do |finding|
          about = finding[:step] == 2 ? "known leak of #{finding[:subject]} (#{finding[:id]})" : finding[:id]
          printable("#{[about, place(finding)].compact.join(", ")}: #{finding[:message]}")
        end
      end

      # "lib/prices.rb:11"
      def place(finding)
        printable([finding[:path], finding[:line]].compact.join(":")) if finding[:path]
      end

      # Where a heap says something.
      def confirmed(finding)
        case finding[:confirmed]
        when true then "the heap shows it"
        when false then "the heap does not show it"
        end
      end

      def grows
        growth = @checkup.growth
        return if growth.empty?

        explained = growth.count { |it| it.causes.any? }
        verb = growth.size == 1 ? "grows" : "grow"
        "#{counted(growth.size, "leak")} #{verb}#{explanation(explained, growth.size)}."
      end

      def explanation(explained, all)
        return if all.zero?
        return ", and nothing that was found explains #{all == 1 ? "it" : "them"}" if explained.zero?
        return ", and what was found explains #{all == 1 ? "it" : "all of them"}" if explained == all

        "; what was found explains #{explained}"
      end

      def found
        findings = @checkup.findings.reject { |finding| finding[:step] == 5 }
        severe, minor = findings.partition { |finding| finding[:severity] != "low" }
        return "Nothing was found." if findings.empty? && @checkup.growth.empty?
        return if findings.empty?

        return "#{counted(minor.size, "finding")} of low severity." if severe.empty?

        "#{counted(severe.size, "finding")}#{", and #{minor.size} of low severity" if minor.any?}."
      end

      # What was not looked at.
      def open
        steps = @checkup.steps.reject(&:done?).map(&:number)
        return if steps.empty?

        "Not done: step#{"s" if steps.size > 1} #{steps.join(", ")}."
      end
    end
  end
end
