# frozen_string_literal: true

require "leak_hunter/arguments"
require "leak_hunter/errors"
require "leak_hunter/project"

module LeakHunter
  # Which gems of an application are used, and which probably not: {LeakHunter.gems}. What counts as evidence, and how
  # it differs by Ruby version, is in docs/gems.md.
  module Gems
    autoload :Boot, "leak_hunter/gems/boot"
    autoload :Covered, "leak_hunter/gems/covered"
    autoload :Folders, "leak_hunter/gems/folders"
    autoload :GemfileDiff, "leak_hunter/gems/gemfile_diff"
    autoload :HeapUse, "leak_hunter/gems/heap_use"
    autoload :Installed, "leak_hunter/gems/installed"
    autoload :Judge, "leak_hunter/gems/judge"
    autoload :KnownGems, "leak_hunter/gems/known_gems"
    autoload :Manifest, "leak_hunter/gems/manifest"
    autoload :Reasons, "leak_hunter/gems/reasons"
    autoload :Savings, "leak_hunter/gems/savings"
    autoload :Sources, "leak_hunter/gems/sources"
    autoload :Text, "leak_hunter/gems/text"
    autoload :Undecided, "leak_hunter/gems/undecided"
    autoload :Watch, "leak_hunter/gems/watch"

    # In this order they are listed.
    VERDICTS = %w[probably_unused unknown used].freeze
    CONFIDENCES = %w[high medium low].freeze
    # The most that is watched.
    WATCH = (0.1..86_400.0)
    UNITS = { "s" => 1, "m" => 60, "h" => 3600 }.freeze
    private_constant :WATCH, :UNITS

    class << self
      # @param moment [Heap, Dump, String, #to_path, nil] nil for this process
      # @param dir [String] the project's folder, with its Gemfile.lock and its sources
      # @param lockfile [String, Project::Lockfile, nil] another than that of the folder
      # @param sources [Boolean] whether the files of the folder are searched for names of the gems
      # @param ignore [Array<Hash>, nil] `name`, `reason` and `until` of gems that are not reported; nil for those of
      #   `.leak_hunter.yml`
      # @param watch [Numeric, String, nil] seconds for which calls are watched, in this process; or "10m"
      # @param coverage [Boolean] whether to look at what Ruby's Coverage has counted (see {Covered})
      # @param heap [Boolean] whether there is a heap to look at; false for what files say alone
      # @param manifest [Manifest, nil] what the Gemfile says of groups, where that is known
      # @return [Array<Hash>] see {LeakHunter.gems}
      def call(moment = nil, dir: Dir.pwd, lockfile: nil, sources: true, ignore: nil, watch: nil,
               coverage: false, heap: true, manifest: nil, **unknown)
        Arguments.refuse_unknown(unknown, method(__method__))
        seconds = watch_seconds(watch, moment, heap)
        raise UsageError, "coverage: only of a living process" if coverage && moment

        lock = lock_of(lockfile, dir, live: moment.nil? && heap)
        uses = use_of(moment, lock) if heap
        judge = Judge.new(lock, uses, sources: (Sources.new(dir, lock.declared) if sources),
                                      manifest: manifest || Manifest.loaded(lock))
        rows = judge.rows
        rows = seen(rows, "has run") { |names| Covered.call(names) } if coverage
        rows = watched(rows, seconds) if seconds
        ignored(sort(rows), ignore ? Project::Ignores.new(ignore) : Project::Settings.load(dir).ignores("gems"))
      end

      private

      # A moment that was read is used as it is.
      def use_of(moment, lock)
        heap = case moment
               when nil then Heap.live(names: false)
               when Heap then moment
               else Heap.load(moment)
               end
        HeapUse.new(heap.native.gem_uses(moment.nil? ? HeapUse.owners : {}), lock)
      end

      def lock_of(lockfile, dir, live:)
        return lockfile if lockfile.is_a?(Project::Lockfile)

        path = lockfile ? Arguments.path("lockfile", lockfile) : Project::Lockfile.find(dir)
        return Project::Lockfile.read(path) if path
        return Project::Lockfile.loaded if live

        raise UsageError, "there is no Gemfile.lock in #{Printable.call(dir)} or above; name the project's folder"
      end

      def watch_seconds(watch, moment, heap)
        return if watch.nil?
        raise UsageError, "watch: only a living process can be watched" if moment || !heap

        number, unit = watch.match(/\A(\d+(?:\.\d+)?)([smh])\z/)&.captures if watch.is_a?(String)
        seconds = number.to_f * UNITS[unit] if number
        seconds = watch.to_f if watch.is_a?(Numeric) && watch.real?
        return seconds if seconds && WATCH.cover?(seconds)

        raise UsageError, "watch: expected seconds, from 0.1 to 86400, or \"10m\", got #{Arguments.show(watch)}"
      end

      # While calls are watched, all other threads go on.
      def watched(rows, seconds)
        rows = seen(rows, "called it while it was watched") { |names| Watch.call(names, seconds:) }
        rows.map { |row| row[:verdict] == "probably_unused" ? Judge.after_watch(row, seconds) : row }
      end

      # @yieldreturn [Hash{String => String}] of gems that are used after all, where that was seen
      def seen(rows, how)
        candidates = rows.reject { |row| row[:verdict] == "used" }.map { |row| row[:name] }
        hits = yield candidates
        rows.map { |row| hits.key?(row[:name]) ? Judge.used(row, "#{hits[row[:name]]} #{how}") : row }
      end

      def sort(rows)
        rows.sort_by do |row|
          [VERDICTS.index(row[:verdict]), CONFIDENCES.index(row[:confidence]) || 0,
           -(row.dig(:saves, :bytes) || 0), row[:name]]
        end
      end

      def ignored(rows, ignores)
        rows.map do |row|
          entry = ignores.find(row[:name]) if row[:verdict] == "probably_unused"
          entry ? row.merge(ignored: entry.to_h, severity: nil) : row
        end
      end
    end
  end
end
