# frozen_string_literal: true

module LeakHunter
  class Checkup
    # A holder that grows, with the findings of the other steps that explain it.
    class Growth
      # @param subject [Subject]
      # @param findings [Array<Hash>] of all steps
      # @return [Array<Growth>] the fastest first
      def self.all(subject, findings)
        explaining = findings.select { |finding| finding[:step] < 5 && finding[:confirmed] }
        subject.growing.map do |holder|
          new(holder, explaining.select { |it| it[:holders].include?(holder[:fingerprint]) }, subject.report)
        end
      end

      # @return [Hash] see {LeakHunter::Holders}
      attr_reader :holder
      # @return [Array<Hash>] what the other steps found that is why it grows
      attr_reader :causes

      def initialize(holder, causes, report)
        @holder = holder
        @causes = causes
        @words = Report::Holder.new(holder, report.to_h)
      end

      # @return [String]
      def name = @words.name

      # @return [String] "+16.0 kB, then +16.0 kB (1.4 MB/min)"
      def rate = @words.rate

      # @return [String] "200 objects, 16.0 kB"
      def size = @words.size

      # @return [String, nil] where most of what it keeps is allocated
      def code = @words.code

      # @return [Report::PathTree]
      def path = @words.path

      # @return [String] what to do: what the causes say, else how leaks of its shape are mostly mended
      def fix
        fixes = causes.filter_map { |cause| cause[:fix] }.uniq
        fixes.empty? ? @words.fixes.join(" ") : fixes.join(" ")
      end

      # @return [Report::ShellCommand, nil] the command that says more
      def next_command = @words.next_command

      # @return [Hash{Symbol => Object}]
      def to_h
        { name:, rate:, size:, code:, fix:, fingerprint: holder[:fingerprint],
          causes: causes.map { |cause| cause.slice(:step, :id, :fingerprint) } }
      end
    end
  end
end
