# frozen_string_literal: true

module LeakHunter
  class CLI
    # What the commands share that list findings, each a Hash with a `:severity`, and may fail a build.
    #
    # Exit statuses: 0 no finding at or above `--fail-on`, 1 there is one, 2 wrong usage, 3 inconclusive: what was asked
    # for could not be looked at, or something went wrong.
    class FindingsCommand < Command
      # From the least to the most severe.
      SEVERITIES = %w[low medium high].freeze
      FAIL_ON = [*SEVERITIES, "never"].freeze
      FOUND = 1
      INCONCLUSIVE = 3

      # Not the status of findings: nothing is known.
      def self.failure = INCONCLUSIVE

      # @return [Array<String>] the first is the default
      def self.formats = %w[text json]

      private

      def define_findings(parser, fail_on: "medium")
        @fail_on = fail_on
        formats = self.class.formats
        parser.on("--format FORMAT", "#{formats.first} (default), #{formats.drop(1).join(", ")}") do |format|
          @format = one_of("format", format, formats)
        end
        parser.on("--output FILE", "write to a file instead of standard output") { |file| @output = file }
        parser.on("--fail-on SEVERITY", "exit with status 1 if there is a finding as",
                  "severe: #{FAIL_ON.join(", ")};", "default: #{fail_on}") do |severity|
          @fail_on = one_of("fail-on", severity, FAIL_ON)
          @fail_on_given = true
        end
        parser.on("--[no-]color", "default: only on a terminal") { |color| @color = color }
        define_width(parser)
      end

      # What the settings say, unless the command line does.
      def settle_fail_on(settings)
        @fail_on = settings.fail_on if settings.fail_on && !@fail_on_given
      end

      # @param findings [Array<Hash>]
      # @param inconclusive [Boolean] whether something could not be looked at
      def conclude(findings, inconclusive: false)
        @cli.status = if findings.any? { |finding| fails?(finding.fetch(:severity)) } then FOUND
                      elsif inconclusive then INCONCLUSIVE
                      else
                        SUCCESS
                      end
      end

      def fails?(severity)
        @fail_on != "never" && SEVERITIES.index(severity) >= SEVERITIES.index(@fail_on)
      end

      def json? = @format == "json"

      def deliver_json(hash)
        require "json"
        deliver("#{Printable.json({ schema: 1, **hash }.to_json)}\n")
      end

      def style = @style ||= Terminal::Style.new(Terminal.color?(color))
    end
  end
end
