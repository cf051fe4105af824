# frozen_string_literal: true

module LeakHunter
  class Checkup
    # What a checkup looks at: a project's folder, its lock file, and moments of a process, as far as they are there.
    class Subject
      # @return [String] the project's folder, absolute
      attr_reader :dir
      # @return [Project::Settings]
      attr_reader :settings
      # @return [Array] dumps, marks and heaps, the first of them first
      attr_reader :moments
      # @return [Report, nil] what grows between the moments; nil where that is not known
      attr_reader :report
      # @return [Heap, nil] the last moment
      attr_reader :heap
      # @return [Project::Lockfile, nil]
      attr_reader :lockfile
      # @return [String, nil] what is wrong with the lock file, or why there is none
      attr_reader :problem_with_lockfile
      # @return [String, nil] why the moments cannot be compared
      attr_reader :problem_with_moments
      # @return [Boolean] whether this process is the application's, so that it can be asked what it uses
      attr_reader :live
      # @return [Boolean] whether newer versions may be asked for over the network
      attr_reader :online
      # @return [Boolean] whether RuboCop may be run
      attr_reader :rubocop

      # @param moments [Array]
      # @param dir [String]
      # @param lock [String, nil] path of a lock file; nil is the one that Bundler would find
      # @param evaluate_gemfile [Boolean] whether this process is one of its own, and not the application's
      # @param say [#call, nil] told what is contacted, before it is
      # @param progress [#call, nil] of reading the moments
      def initialize(moments, dir: Dir.pwd, lock: nil, settings: nil, live: false, online: false, rubocop: nil,
                     evaluate_gemfile: false, say: nil, threads: nil, progress: nil)
        @dir = folder(dir)
        @settings = settings || Project::Settings.load(@dir)
        @moments = moments
        @live = live
        @online = online
        @evaluate_gemfile = evaluate_gemfile
        @say = say
        @rubocop = rubocop.nil? ? @settings.rubocop? : rubocop
        @threads = threads
        @progress = progress
        read_lockfile(lock)
        read_moments
      end

      # @return [Array<Hash>] holders that grow, the fastest first
      def growing = @growing ||= report ? Report::Findings.new(report.to_h).growing : []

      # @param text [String] what is contacted
      # @return [void]
      def say(text) = @say&.call(text)

      # What the Gemfile says of groups. It is the project's own code, so it is evaluated only where that was asked for.
      #
      # @return [Gems::Manifest, nil]
      def manifest
        Gems::Manifest.of_lock(lockfile.path) if @evaluate_gemfile && lockfile&.path
      end

      # @return [Lint] what steps 3 and 4 find, read once
      def lint
        @lint ||= Lint.new(dir, report:, settings:, rubocop:, lockfile:, threads: @threads)
      end

      # Where a gem stands in the lock file.
      #
      # @return [Hash{Symbol => Object}]
      def place_in_lockfile(gem)
        return {} unless lockfile.path

        { path: File.expand_path(lockfile.path).delete_prefix("#{dir}/"), line: lockfile[gem]&.line }
      end

      # Where a line of a site is, as findings say it: relative to the project's folder if it is in there.
      #
      # @return [Hash{Symbol => Object}]
      def place(file, line)
        return {} unless file

        path = file.delete_prefix("#{dir}/")
        { path:, line: }
      end

      private

      def folder(dir)
        path = Arguments.path(:dir, dir)
        raise UsageError, "dir: #{Printable.call(path)} is not a folder" unless File.directory?(path)

        File.realpath(path)
      end

      def read_lockfile(lock)
        path = lock || Project::Lockfile.find(@dir)
        if path then @lockfile = Project::Lockfile.read(path)
        elsif live then @lockfile = Project::Lockfile.loaded
        else
          @problem_with_lockfile = "There is no Gemfile.lock in #{@dir} or above it. Run: bundle lock"
        end
      rescue LockfileError => e
        raise if lock # somebody has asked for this one

        @problem_with_lockfile = e.message
      end

      def read_moments
        return if moments.empty?

        @heap = Heap.load(moments.last, threads: @threads, progress: @progress) unless moments.last.is_a?(Heap)
        @heap ||= moments.last
        return too_few if moments.size < 3

        @report = Report.new(LeakHunter.diff(*moments, holders: true, threads: @threads, progress: @progress))
      end

      def too_few
        @problem_with_moments = "To measure what grows takes three moments or more; there " \
                                "#{moments.size == 1 ? "is" : "are"} #{moments.size}."
      end
    end
  end
end
