# frozen_string_literal: true

module LeakHunter
  class CLI
    # `leak_hunter advisories [Gemfile.lock]`
    class AdvisoriesCommand < FindingsCommand
      def self.summary = "list gems that are known to leak in the versions you use"

      private

      def define(parser)
        parser.banner = "Usage: leak_hunter advisories [OPTIONS] [GEMFILE.LOCK]"
        parser.separator "\nLists the gems of a lock file that are known to leak in these versions. With a\n" \
                         "heap dump, or with three or more of one process, it also says whether they do.\n\n"
        parser.on("--heap DUMP", "a dump of the process; give three or more,", "in order, to see what grows") do |path|
          (@dumps ||= []) << path
        end
        parser.on("--details", "all that is known of each leak") { @details = true }
        parser.on("--online", "also ask your gem sources for newer releases,",
                  "and read their changelogs; contacts nothing", "else") { @online = true }
        define_findings(parser)
      end

      def execute(paths)
        raise UsageError, "advisories: expected one lock file, got #{paths.size}" if paths.size > 1
        raise UsageError, "--heap: give one dump, or three or more" if @dumps&.size == 2

        lock = Project::Lockfile.read(lock_path(paths.first))
        settings = Project::Settings.load(File.dirname(lock.path))
        settle_fail_on(settings)
        check_output(@dumps || [])
        search(lock)
        sort_out(settings.ignores("advisories"))
        look_further(lock)
        json? ? write_json : deliver(text)
        conclude(@findings, inconclusive: @failures.any?)
      end

      # @param path [String, nil] of the file, or of a project's folder
      def lock_path(path)
        return path unless path.nil? || File.directory?(path)

        found = Project::Lockfile.find(path || Dir.pwd)&.delete_prefix("#{Dir.pwd}/")
        found || raise(UsageError, "advisories: there is no Gemfile.lock #{path ? "in #{path}" : "here"} or above; " \
                                   "name one, or run: bundle lock")
      end

      def search(lock)
        @report = watching("comparing dumps") { |bar| compare(bar) } if @dumps && @dumps.size > 2
        heap = watching("reading the dump") { |bar| load(bar) } if @dumps&.one?
        @advisories = Advisories.of(lock, heap:, report: @report)
      end

      def load(bar) = Heap.load(@dumps.first, threads: :all, progress: bar)

      def compare(bar) = LeakHunter.diff(*@dumps, holders: true, threads: :all, progress: bar)

      def watching(what)
        bar = ProgressBar.for(stderr, what) unless json?
        yield bar
      ensure
        bar&.finish
      end

      def sort_out(ignores)
        all = @advisories.findings.map do |finding|
          entry = ignores.find(finding[:id], finding[:gem])
          entry ? { **finding, ignored: entry.to_h } : finding
        end
        @ignored, @findings = all.partition { |finding| finding[:ignored] }
      end

      # Of the gems that leak or grow: whose trackers and changelogs are of use.
      def look_further(lock)
        @growing = @report ? Advisories::GrowingGems.call(@report) : []
        names = [*@growing.map { |it| it[:gem] }, *@findings.map { |it| it[:gem] }].uniq
        @failures = []
        @newer = Advisories::InstalledChangelogs.call(lock, names)
        @newer = (@newer + online(lock, names)).uniq { |it| it.values_at(:gem, :fixed_in, :text) } if @online
        known = @findings.group_by { |it| it[:gem] }
        @newer = @newer.reject { |it| known.fetch(it[:gem], []).any? { |finding| finding[:fixed_in] == it[:fixed_in] } }
      end

      def online(lock, names)
        search = Advisories::NewerReleases.new(lock, names)
        return [] if search.gems.empty?

        asked = "#{search.sources.join(", ")} about #{search.gems.join(", ")}"
        stderr.write("leak_hunter: asking #{Printable.call(asked)}\n")
        found = search.call
        @failures = search.failures
        @failures.each { |text| stderr.write("leak_hunter: #{Printable.call(text)}\n") }
        found
      end

      def text
        Advisories::Text.new(@advisories, findings: @findings, ignored: @ignored, growing: @growing, newer: @newer,
                                          details: @details, style:, width:).to_s
      end

      def write_json
        lock = @advisories.lock
        deliver_json(lock: utf8(lock.path), ruby: @advisories.ruby_version.to_s, gems: lock.names.size,
                     findings: @findings, ignored: @ignored, growing: @growing, newer: @newer,
                     unreleased: @advisories.unreleased.map { |it| it.to_h.slice(:name, :source) }, failures: @failures)
      end
    end
  end
end
