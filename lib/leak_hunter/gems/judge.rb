# frozen_string_literal: true

module LeakHunter
  module Gems
    # Judges each gem that the Gemfile names. That nothing speaks for a gem is never enough: without a heap or the
    # project's files it stays unknown, and all that could hide its use lowers the confidence.
    class Judge
      SEVERITIES = { "high" => "medium", "medium" => "low", "low" => "low" }.freeze
      private_constant :SEVERITIES

      # @param row [Hash] of a gem of which nothing was called
      # @return [Hash]
      def self.after_watch(row, seconds)
        row.merge(reasons: [*row[:reasons], format("none of its methods was called in %g s of watching", seconds)])
      end

      def self.used(row, reason)
        row.merge(verdict: "used", confidence: nil, severity: nil, saves: nil, reasons: [reason])
      end

      # @param lock [Project::Lockfile]
      # @param uses [HeapUse, nil] nil without a heap
      # @param sources [Sources, nil]
      # @param manifest [Manifest]
      def initialize(lock, uses, sources:, manifest:)
        @lock = lock
        @uses = uses&.conclusive? ? uses : nil
        @had_heap = !uses.nil?
        @sources = sources&.any? ? sources : nil
        @manifest = manifest
        @named = @lock.declared.to_h { |name| [name, named_in_files(name)] }.compact
        @uses&.reach(@named.keys)
        @undecided = Undecided.new(lock, @uses, @sources, manifest)
        @savings = Savings.new(lock, @uses)
      end

      # @return [Array<Hash>]
      def rows
        found = @lock.declared.to_h { |name| [name, judge(name)] }
        # what a used gem needs is there anyway
        needed = found.select { |_, row| row[:verdict] == "used" }.keys.to_h { |name| [name, @lock.needed_by(name)] }
        found.map do |name, row|
          user = needed.find { |other, names| other != name && names.key?(name) }&.first
          row[:verdict] == "used" || user.nil? ? row : needed_row(row, user)
        end
      end

      private

      def judge(name)
        row = { name:, version: @lock[name]&.version&.to_s, groups: @manifest.groups(name) }.compact
        why = used_because(name)
        return self.class.used(row, why) if why

        why = @undecided.because(name)
        return row.merge(verdict: "unknown", confidence: nil, severity: nil, saves: nil, reasons: [why]) if why

        confidence, reasons = doubts(name)
        row.merge(verdict: "probably_unused", confidence:, severity: SEVERITIES.fetch(confidence),
                  saves: @savings.of(name), reasons:)
      end

      def needed_row(row, user)
        self.class.used(row, "#{user} needs it, so it is there without a line in the Gemfile, too")
      end

      def used_because(name)
        seen_in_heap(name) || @named[name] || runs_it(name) || brings_used(name)
      end

      def seen_in_heap(name)
        use = @uses&.use_of(name)
        use && Reasons.of_use(use)
      end

      def runs_it(name)
        return unless KnownGems.server?(name) && @uses&.loaded?(name)

        "it is loaded, and is a server: it runs the application"
      end

      def named_in_files(name)
        return unless @sources

        constant = namespaces(name).filter_map { |namespace| @sources.constant(namespace) }.min_by(&:to_s)
        return "#{constant} names #{constant.text}" if constant

        adapter = @sources.adapter(name)
        return "#{adapter} has it as the adapter #{adapter.text}" if adapter

        program = @sources.program(name)
        return "#{program} runs it" if program

        word = @sources.word(name)
        "#{word} names it" if word
      end

      # Of a heap the outermost classes and modules that are the gem's; else what its name suggests.
      def namespaces(name)
        known = @uses&.[](name)&.fetch(:namespaces) || []
        known.empty? ? Reasons.constants_of(name) : known
      end

      # A gem without code of its own, such as rails.
      def brings_used(name)
        return unless @uses && !@uses.loaded?(name)

        brought = @lock.leaves_with(name).find { |other| other != name && @uses.used?(other) }
        "it brings #{brought}, which is used" if brought
      end

      # @return [Array(String, Array<String>)] the confidence, and what it rests on
      def doubts(name)
        unseen = Installed.signs(name, @lock[name]&.version&.to_s).map { |sign| "it may work unseen: #{sign}" }
        weak = [*Reasons.weak(name, @uses, @manifest), *unseen]
        reasons = [*Reasons.seen(name, @uses, @sources, @had_heap), *weak]
        confidence = if weak.any? || @uses.nil? || @sources.nil? then "low"
                     elsif !@uses.loaded?(name) then "medium"
                     else
                       "high"
                     end
        [confidence, reasons]
      end
    end
  end
end
