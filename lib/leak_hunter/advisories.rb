# frozen_string_literal: true

require "leak_hunter/leakdb"
require "leak_hunter/project"

module LeakHunter
  # Which gems of a project are known to leak in the versions that it uses, and whether its heap shows it.
  #
  #   LeakHunter.advisories                                      # what is loaded in this process
  #   LeakHunter.advisories("Gemfile.lock")
  #   LeakHunter.advisories("Gemfile.lock", heap: "3.json")      # one dump
  #   LeakHunter.advisories("Gemfile.lock", report: result)      # of LeakHunter.diff with holders: true
  #
  # Each finding is a Hash:
  #
  # - `:gem` ("ruby" for Ruby itself), `:version`, `:id` of the entry in leakdb/, `:title`, `:kind` ("ruby" objects,
  #   "native" memory, "thread", "fd", "bloat": more than it should be, with an end)
  # - `:leaky` (requirements), `:fixed_in` (the next version without it; nil: none is known) and `:update_to` (the next
  #   version without any of the leaks that were found in this gem)
  # - `:severity`: "high" if the heap shows it, "medium", "low" if it takes a trigger that may not be there, if the
  #   heap does not show it, or if the version is of a git revision or a folder
  # - `:confirmed`: true (this heap shows it), false (this heap does not), nil (no heap, or it cannot be seen in one)
  #   and `:evidence`, what was seen; `:holders`, fingerprints of the holders that grow because of it
  # - `:mechanism`, `:trigger`, `:workaround`, `:references`, `:source` of the entry
  # - `:version_from`: "lock", "loaded", "ruby" (a gem that Ruby brings), "git", "path" or "plugin"
  class Advisories
    autoload :Changelog, "leak_hunter/advisories/changelog"
    autoload :GrowingGems, "leak_hunter/advisories/growing_gems"
    autoload :HeapEvidence, "leak_hunter/advisories/heap_evidence"
    autoload :Links, "leak_hunter/advisories/links"
    autoload :NewerReleases, "leak_hunter/advisories/newer_releases"
    autoload :InstalledChangelogs, "leak_hunter/advisories/installed_changelogs"
    autoload :Text, "leak_hunter/advisories/text"

    SEVERITIES = %w[high medium low].freeze
    private_constant :SEVERITIES

    class << self
      # @param lock [String, Project::Lockfile, nil] nil for what is loaded in this process
      # @param heap [Heap, String, nil] one heap, or a dump of one
      # @param report [Report, Hash, nil] of a diff, best with holders
      # @return [Advisories]
      # @raise [LockfileError]
      def of(lock = nil, heap: nil, report: nil, db: LeakDB.default)
        new(lockfile(lock), HeapEvidence.new(heap: loaded(heap), report: result(report)), db)
      end

      private

      def lockfile(lock)
        case lock
        when Project::Lockfile then lock
        when nil then Project::Lockfile.loaded
        else Project::Lockfile.read(Arguments.path("lock", lock, expected: "the path of a lock file"))
        end
      end

      def result(report)
        report = report.to_h if report.is_a?(Report)
        return report if report.nil? || (report.is_a?(Hash) && report.key?(:evidence))

        raise UsageError, "report: expected the result of LeakHunter.diff, got #{Arguments.show(report)}"
      end

      def loaded(heap) = heap.nil? || heap.is_a?(Heap) ? heap : Heap.load(heap)
    end

    # @return [Project::Lockfile]
    attr_reader :lock

    # @api private
    def initialize(lock, evidence, db)
      @lock = lock
      @evidence = evidence
      @db = db
    end

    # What no release has mended and what takes a trigger is told only where the heap shows it: there is nothing to
    # update to, and all that use the gem have it.
    #
    # @return [Array<Hash{Symbol => Object}>] the most severe first
    def findings
      @findings ||= (of_gems + of_default_gems + of_ruby)
                    .sort_by { |it| [SEVERITIES.index(it[:severity]), it[:gem], it[:id]] }
    end

    # @return [Array<Project::GemVersion>] those of git or a folder that have entries: their version says little
    def unreleased
      lock.specs.reject(&:released?).select { |spec| @db.entries(spec.name).any? }
    end

    # @return [Gem::Version] of Ruby: the lock file's, or this process's
    def ruby_version = lock.ruby_version || Gem::Version.new(RUBY_VERSION)

    private

    def of_gems
      lock.specs.uniq { |spec| [spec.name, spec.version, spec.platform == "java"] }.flat_map do |spec|
        from = if !spec.released? then spec.source
               elsif lock.path then "lock"
               else
                 "loaded"
               end
        of(spec.name, spec.version, from, spec.platform)
      end
    end

    # A program uses them without saying so.
    def of_default_gems
      LeakDB::DefaultGems.names.reject { |name| lock[name] }.flat_map do |name|
        version = LeakDB::DefaultGems.version(name, ruby_version)
        version ? of(name, version, "ruby") : []
      end
    end

    def of_ruby
      (lock.engine || RUBY_ENGINE) == "ruby" ? of("ruby", ruby_version, "ruby") : []
    end

    def of(gem, version, from, platform = "ruby")
      entries = @db.entries(gem).select do |entry|
        entry.leaky?(version) && entry.concerns?(lock.engine, platform, ruby_version)
      end
      update = update_to(entries, version)
      entries.filter_map { |entry| finding(entry, version, from, update) }
    end

    # @return [Gem::Version, nil]
    def update_to(entries, version)
      fixed = entries.flat_map(&:fixed_in).select { |other| other > version }.uniq.sort
      fixed.find { |other| entries.none? { |entry| !entry.fixed_in.empty? && entry.leaky?(other) } }
    end

    def finding(entry, version, from, update)
      confirmed, evidence = @evidence.of(entry)
      return if entry.fixed_in.empty? && entry.needs_trigger? && !confirmed

      { gem: entry.gem, version: version.to_s, id: entry.id, title: entry.title, kind: entry.kind,
        severity: severity(entry, confirmed, from), confirmed:, evidence:,
        holders: @evidence.holders_of(entry), leaky: entry.leaky,
        fixed_in: entry.fixed_after(version)&.to_s, update_to: update&.to_s, mechanism: entry.mechanism,
        trigger: entry.trigger, workaround: entry.workaround, references: entry.references, source: entry.source,
        version_from: from }
    end

    def severity(entry, confirmed, from)
      return "high" if confirmed

      sure = confirmed.nil? && !entry.needs_trigger? && %w[lock loaded ruby].include?(from)
      sure ? "medium" : "low"
    end
  end
end
