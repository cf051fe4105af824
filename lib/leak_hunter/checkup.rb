# frozen_string_literal: true

require "leak_hunter/arguments"
require "leak_hunter/errors"
require "leak_hunter/report"

module LeakHunter
  # The five steps that find a leak, in order, as one page: unused gems, known leaks of the others, lint, code that lets
  # a collection grow, and what grows in three heap dumps. What grows comes first, with what explains it.
  #
  #   checkup = LeakHunter.checkup                              # this process and the project in the working directory
  #   checkup = LeakHunter.checkup("1.json", "2.json", "3.json")
  #   puts checkup
  #   checkup.findings                                          # => [{step: 1, id: "unused_gem", …}, …]
  class Checkup
    autoload :Finding, "leak_hunter/checkup/finding"
    autoload :Growth, "leak_hunter/checkup/growth"
    autoload :HTML, "leak_hunter/checkup/html"
    autoload :Hunt, "leak_hunter/checkup/hunt"
    autoload :KnownLeaks, "leak_hunter/checkup/known_leaks"
    autoload :Lints, "leak_hunter/checkup/lints"
    autoload :Markdown, "leak_hunter/checkup/markdown"
    autoload :Measure, "leak_hunter/checkup/measure"
    autoload :Patterns, "leak_hunter/checkup/patterns"
    autoload :Sarif, "leak_hunter/checkup/sarif"
    autoload :Step, "leak_hunter/checkup/step"
    autoload :Subject, "leak_hunter/checkup/subject"
    autoload :Text, "leak_hunter/checkup/text"
    autoload :UnusedGems, "leak_hunter/checkup/unused_gems"
    autoload :Words, "leak_hunter/checkup/words"

    # In the order in which they are done.
    STEPS = %i[UnusedGems KnownLeaks Lints Patterns Measure].freeze

    # @param subject [Subject] what is looked at
    # @return [Checkup]
    def self.run(subject)
      steps = STEPS.map.with_index(1) { |name, number| const_get(name).new(subject, number).call }
      new(subject, steps)
    end

    # @return [Array<Step>] all five
    attr_reader :steps

    # @return [Array<Growth>] what grows, the fastest first, with the findings that explain it
    attr_reader :growth

    # @return [String] the project's folder
    attr_reader :dir

    def initialize(subject, steps)
      @dir = subject.dir
      @report = subject.report
      @expired = subject.settings.expired
      @steps = steps
      @growth = Growth.all(subject, findings)
    end

    # @return [Array<Hash{Symbol => Object}>] of all steps, see {Finding}; in each, the most severe first
    def findings = steps.flat_map(&:findings)

    # @return [String] "findings" of more than low severity; "clean"; "inconclusive" where there are none, and something
    #   that was given could not be read or does not tell
    def verdict
      return "findings" if findings.any? { |finding| finding[:severity] != "low" }

      inconclusive? ? "inconclusive" : "clean"
    end

    # @return [Boolean] whether something that was given could not be read, or does not tell whether anything grows
    def inconclusive? = steps.any?(&:inconclusive)

    # @return [Array<Project::Ignores::Entry>] entries of `.leak_hunter.yml` that no longer count
    attr_reader :expired

    # @return [Report, nil] of step 5
    attr_reader :report

    # @param color [Boolean, IO, nil] see {Report#to_s}
    # @param width [Integer]
    # @return [String]
    def to_s(color: nil, width: 80)
      Arguments.integer(:width, width, Report::Text::WIDTHS)
      Text.new(self, color: Terminal.color?(color), width:).to_s
    end

    # @return [String] one file that loads nothing
    def to_html = HTML.new(self).to_s

    # @return [String]
    def to_markdown = Markdown.new(self).to_s

    # @return [Hash{String => Object}] SARIF 2.1.0, for code scanning
    def to_sarif = Sarif.new(self).to_h

    # @return [Hash{Symbol => Object}] see docs/checkup.md
    def to_h
      { verdict:, dir:, growth: growth.map(&:to_h), steps: steps.map(&:to_h), expired: expired.map(&:to_h) }
    end

    # @return [String]
    def to_json(*args)
      require "json"
      { schema: 1, **to_h }.to_json(*args)
    end

    # @return [String]
    def inspect = "#<#{self.class} #{verdict}, findings=#{findings.size}>"
  end
end
