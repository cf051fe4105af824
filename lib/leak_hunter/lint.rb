# frozen_string_literal: true

require "leak_hunter/arguments"
require "leak_hunter/errors"
require "leak_hunter/project"

module LeakHunter
  # Code that may leak, read without running it: what LeakHunter's own rules find in the whole program ({Scan}), and
  # what the project's RuboCop says with those of its cops that have to do with memory. What the heap says is growing
  # decides what comes first.
  #
  #   LeakHunter.lint("/srv/shop")                    # => [{rule: "LeakHunter/UnboundedMemo", path: …, line: 12, …}, …]
  #   LeakHunter.lint("/srv/shop", report: LeakHunter.diff(*dumps, holders: true))
  #
  # Each finding is a Hash with
  #
  # - `:rule`, `:path` (relative to the folder), `:line`, `:column`, `:message`, `:severity`
  # - `:confirmed`: true if what it is about is on the path of a holder that grows, or, for a rule about no variable, if
  #   what grows was allocated on its line; false if not; nil without a heap, or for a cop about no variable
  # - `:variable` and `:evidence`; `:grown`, bytes that grew in its file or in classes that it defines; `:holders`,
  #   fingerprints of those that grow; `:fingerprint`, the same when lines move
  class Lint
    autoload :Baseline, "leak_hunter/lint/baseline"
    autoload :Files, "leak_hunter/lint/files"
    autoload :Grown, "leak_hunter/lint/grown"
    autoload :RuboCop, "leak_hunter/lint/rubocop"
    autoload :Sites, "leak_hunter/lint/sites"
    autoload :Text, "leak_hunter/lint/text"

    # The rules of {Scan} have such names.
    OWN = "LeakHunter/"
    SEVERITIES = %w[high medium low].freeze
    LESS = { "high" => "medium", "medium" => "low", "low" => "low" }.freeze
    # What was not looked at, by the scan's word for it.
    GAPS = { "unreadable" => "could not be read", "too_large" => "is too large, and was not read",
             "broken" => "is no Ruby from here on; what was understood was read",
             "too_deep" => "is nested too deeply from here on", "too_many" => "more files than are read" }.freeze
    private_constant :SEVERITIES, :LESS, :GAPS

    # @return [String] the folder, absolute
    attr_reader :dir
    # @return [Integer] files that were read
    attr_reader :files
    # @return [Integer] findings that the settings leave out
    attr_reader :ignored
    # @return [Integer] findings that the baseline leaves out
    attr_reader :known
    # @return [Array<String>] sentences: what the scan did not read, and why
    attr_reader :notes
    # @return [Array<String>] sentences: why RuboCop did not run, or what it did not read
    attr_reader :rubocop_problems
    # @return [String, nil] "rubocop 1.39.0, rubocop-performance 1.7.1"; nil if it did not run
    attr_reader :rubocop_version
    # @return [Array<Hash>] holders that grow, and that no finding is about
    attr_reader :unexplained

    # @param dir [String]
    # @param report [Report, Hash, nil] of a diff with holders
    # @param settings [Project::Settings, nil] nil is the file of the folder
    # @param rubocop [Boolean, nil] whether to run RuboCop if the project has it; nil is what the settings say
    # @param lockfile [Project::Lockfile, nil]
    # @param threads [Integer, :all, nil] see {Scan}
    # @param progress [#call, nil]
    def initialize(dir, report: nil, settings: nil, rubocop: nil, lockfile: nil, threads: nil, progress: nil)
      @dir = File.realpath(Arguments.path(:dir, dir))
      @report = report&.to_h
      @settings = settings || Project::Settings.load(@dir)
      @rubocop = rubocop.nil? ? @settings.rubocop? : rubocop
      @lockfile = lockfile
      @threads = threads
      @progress = progress
      @ignored = @known = 0
      @notes = []
      @rubocop_problems = []
      read
    rescue SystemCallError => e
      raise UsageError, "dir: #{Arguments.show(dir)}: #{SystemCallError.new(nil, e.errno).message}"
    end

    # @return [Array<Hash{Symbol => Object}>] the most severe first; among those, where most grew
    attr_reader :findings

    # @return [Array<Hash>] all, also those of the baseline
    attr_reader :all

    # @return [Array<String>] entries of the baseline that nothing was found for
    def stale = @baseline ? @baseline.stale : []

    private

    def read
      paths = Files.new(@dir, @settings).to_a
      @files = paths.size
      own = scan(paths)
      offences = rubocop(paths)
      grown = Grown.new(@report, @dir, paths)
      @all = sort([*own, *offences].map { |it| { **it, grown: grown.bytes(it[:path]) } }.map { |it| raise_low(it) })
      @findings = leave_out(@all)
    end

    def scan(paths)
      return [] if paths.empty?

      result = Scan.call(paths.map { |path| File.join(@dir, path) }, root: @dir, threads: @threads, progress: @progress)
      @notes.concat(result[:notes].map { |note| said(note) })
      @notes << "#{Report::Format.counted(result[:suppressed], "finding")} left out by comments." if
        result[:suppressed].positive?
      join(result[:findings]).map { |finding| own(finding) }
    end

    # Without a heap nothing is confirmed and nothing denied.
    def join(findings)
      return findings unless @report && @report[:holders]

      joined = Scan.join(findings, @report)
      sites = Sites.new(@report)
      found = joined[:findings].map { |finding| at_its_line(finding, sites) }
      explained = found.flat_map { |finding| finding[:holders] }
      @unexplained = joined[:holders].reject { |holder| explained.include?(holder[:fingerprint]) }
      found
    end

    # Where a rule is not about a variable, what was allocated on its line, and grows, confirms it.
    def at_its_line(finding, sites)
      return finding unless finding[:confirmed].nil?

      holders = sites.growing(finding.values_at(:path, :line), *finding[:grows].map { |it| it.values_at(:path, :line) })
      holders.empty? ? finding : { **finding, confirmed: true, holders: finding[:holders] | holders }
    end

    def own(finding)
      others = finding[:grows].drop(1).map { |place| "it grows at #{place[:path]}:#{place[:line]}, too" }
      evidence = [*others, *finding[:emptied_by].map { |name| "#{name} would empty it, but nothing here calls that" }]
      { **finding.slice(:rule, :path, :line, :column, :message, :confirmed, :variable, :fingerprint),
        severity: severity(finding), evidence:, holders: finding[:holders].to_a }
    end

    # What the heap shows is severe wherever it runs, and what it does not show is less so.
    def severity(finding)
      case finding[:confirmed]
      when true then "high"
      when false then LESS.fetch(finding[:severity])
      else finding[:severity]
      end
    end

    def said(note)
      place = [note[:path], note[:line]].compact.join(":")
      "#{place}: #{GAPS.fetch(note[:reason])}".delete_prefix(": ")
    end

    def rubocop(paths)
      unless @rubocop
        @rubocop_problems << "RuboCop was not run, as asked."
        return []
      end

      result = RuboCop.new(@dir, paths.grep(/\.(?:rb|rake|ru|gemspec)\z|file\z/i), lockfile: @lockfile).call
      @rubocop_version = result.version
      @rubocop_problems << result.problem if result.problem
      result.offences.map do |offence|
        { **offence, severity: "low", confirmed: nil, variable: nil, evidence: [], holders: [],
                     fingerprint: fingerprint(offence) }
      end
    end

    # A long-lived variable in a file where something grows is worth a look.
    def raise_low(finding)
      doubtful = finding[:severity] == "low" && RuboCop::LONG_LIVED.include?(finding[:rule])
      doubtful && finding[:grown].positive? ? { **finding, severity: "medium" } : finding
    end

    # Of a line and not of its number.
    def fingerprint(offence)
      require "digest"
      line = File.foreach(File.join(@dir, offence[:path])).lazy.drop(offence[:line] - 1).first.to_s
      Digest::SHA256.hexdigest([offence[:rule], offence[:path], line.strip].join("\0"))[0, 16]
    end

    def sort(findings)
      findings.sort_by do |it|
        [SEVERITIES.index(it[:severity]), it[:confirmed] ? 0 : 1, -it[:grown], it[:path], it[:line], it[:rule]]
      end
    end

    def leave_out(findings)
      ignores = @settings.ignores("lint")
      left = findings.reject { |it| ignores.find(it[:rule], it[:fingerprint]) && (@ignored += 1) }
      @baseline = Baseline.load(@dir, @settings.baseline)
      left.reject { |it| @baseline.include?(it) && (@known += 1) }
    end
  end
end
