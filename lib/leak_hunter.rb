# frozen_string_literal: true

require "leak_hunter/version"
require "leak_hunter/arguments"
require "leak_hunter/errors"
require "leak_hunter/signal_handler"

# Finds memory leaks in a Ruby process: takes heap dumps, compares three of them, shows what leaked and what holds it.
#
# Requiring this file is cheap: some 40 milliseconds. It loads all that the first moment needs, objspace and the native
# extension among it: loaded later, it would make Ruby forget its inline caches, which would then look new. Rack, Rails,
# RSpec and Rake are never loaded. Each integration is its own require.
module LeakHunter
  autoload :Advisories, "leak_hunter/advisories"
  autoload :Checkup, "leak_hunter/checkup"
  autoload :CLI, "leak_hunter/cli"
  autoload :Configuration, "leak_hunter/configuration"
  autoload :Context, "leak_hunter/context"
  autoload :Diff, "leak_hunter/diff"
  autoload :Dump, "leak_hunter/dump"
  autoload :EagerLoad, "leak_hunter/eager_load"
  autoload :EdgeNames, "leak_hunter/edge_names"
  autoload :Gems, "leak_hunter/gems/verdicts"
  autoload :Heap, "leak_hunter/heap"
  autoload :HeapObject, "leak_hunter/heap_object"
  autoload :Holders, "leak_hunter/holders"
  autoload :LeakDB, "leak_hunter/leakdb"
  autoload :Lint, "leak_hunter/lint"
  autoload :Mark, "leak_hunter/mark"
  autoload :Middleware, "leak_hunter/middleware"
  autoload :Native, "leak_hunter/native"
  autoload :Project, "leak_hunter/project"
  autoload :RakeTask, "leak_hunter/rake_task"
  autoload :Recorder, "leak_hunter/recorder"
  autoload :Report, "leak_hunter/report"
  autoload :Scan, "leak_hunter/scan"
  autoload :Terminal, "leak_hunter/terminal"
  autoload :Tracing, "leak_hunter/tracing"
  autoload :Unmeasured, "leak_hunter/unmeasured"
  autoload :Web, "leak_hunter/web"

  class << self
    # Takes a heap dump of this process. See {Recorder.dump!} for the options.
    #
    # @return [Dump]
    def dump!(path = nil, **options)
      SignalHandler.refuse("LeakHunter.dump!", RecordingError)
      Arguments.refuse_unknown(options, Recorder.method(:dump!))
      Recorder.dump!(path, **options)
    end

    # Takes a snapshot of this process: a dump without contents, with a much shorter pause. See {Recorder.snapshot!} for
    # the options.
    #
    # @return [Dump]
    def snapshot!(path = nil, **options)
      SignalHandler.refuse("LeakHunter.snapshot!", RecordingError)
      Arguments.refuse_unknown(options, Recorder.method(:snapshot!))
      Recorder.snapshot!(path, **options)
    end

    # Starts allocation tracing, so that dumps know where and when objects were allocated. With a block, traces while
    # the block runs: what was on before, started by whomever, stays on.
    #
    # Also loads json, for reports. That takes long beside busy threads: start tracing when the process starts.
    #
    # @param mode [Symbol, nil] `:exact`, LeakHunter's own tracer, `:sampled`, the same for one allocation in many, or
    #   `:objspace`, the VM's; nil chooses. See docs/tracing.md
    # @param focus [String, Regexp, Hash, Array, nil] sites of which the second round is to find the callers:
    #   "app/order.rb:12", a Regexp that matches that, or groups and holders of a {diff}. What is allocated there is
    #   remembered with its whole stack, and a later {diff} says how many objects of which caller stayed
    # @param by [Symbol, nil] in the mode `:sampled`, what is counted until the next allocation is remembered:
    #   `:allocations` (the default), or the `:bytes` of their slots, so that what is larger is the more probable
    # @param every [Integer, nil] in the mode `:sampled`, one in so many of these; nil for 64 allocations or 4,096 bytes
    # @param budget [Float, nil] in the mode `:sampled`, the share of CPU time that it may take, such as 0.01:
    #   allocations are then reported now and then only
    # @return [Hash{Symbol => Object}, Object] since when, in which mode and why (see {Tracing.since}); with a block,
    #   what the block returned
    def trace!(mode: nil, focus: nil, by: nil, every: nil, budget: nil, &block)
      SignalHandler.refuse("LeakHunter.trace!")
      EagerLoad.call
      Tracing.start(mode:, focus:, by:, every:, budget:, &block)
    end
    alias start_tracing trace!

    # Stops allocation tracing and drops what it has recorded (see {Tracing.stop}).
    def untrace!
      SignalHandler.refuse("LeakHunter.untrace!")
      Tracing.stop
    end
    alias stop_tracing untrace!

    # @return [Boolean] whether allocations are being traced, by whomever
    def tracing?
      SignalHandler.refuse("LeakHunter.tracing?")
      Tracing.on?
    end

    # Drops what tracing has recorded so far. Tracing itself goes on.
    def clear
      SignalHandler.refuse("LeakHunter.clear")
      Tracing.clear
    end
    alias clear_tracing clear

    # Runs the block in a context: what it allocates while LeakHunter traces is reported with this name. See {Context}.
    #
    #   LeakHunter.context("POST /orders") { … }
    #
    # @param name [String, Symbol] an endpoint, a job's class: one of some dozens, without numbers and secrets in it
    # @return [Object] what the block returned
    def context(name, &)
      raise UsageError, "context: it takes a block" unless block_given?

      Context.run(name, &)
    end

    # Marks this moment, as any but the last of a diff: cheaper than a dump, without a file, and enough for what is
    # traced. What is alive is counted.
    #
    # @return [Mark]
    def mark
      SignalHandler.refuse("LeakHunter.mark")
      Mark.take
    end

    # Compares three or more dumps of one process: what was born between the first and the last but one and is still
    # there in the last. See {Diff} for the options and the shape of the result.
    #
    # @return [Hash{Symbol => Object}]
    def diff(*moments, **options)
      SignalHandler.refuse("LeakHunter.diff")
      Diff.call(*moments, **options)
    end

    # Which gems are known to leak in the versions that are used, and whether a heap shows it. See {Advisories} for the
    # shape of the findings.
    #
    # @param lock [String, nil] path of a Gemfile.lock; nil for what is loaded in this process
    # @param heap [Heap, String, nil] one heap, or a dump of one
    # @param report [Report, Hash, nil] of {diff} with holders
    # @return [Array<Hash{Symbol => Object}>] the most severe first
    # @raise [LockfileError]
    def advisories(lock = nil, heap: nil, report: nil, **unknown)
      SignalHandler.refuse("LeakHunter.advisories")
      Arguments.refuse_unknown(unknown, %i[heap report])
      Advisories.of(lock, heap:, report:).findings
    end

    # Which of the gems that the Gemfile names are used, and which probably not.
    #
    # @param moment [Heap, Dump, String, #to_path, nil] a heap or a dump of the application; nil for this process
    # @param options see {Gems.call}: `dir:` (the project's folder), `lockfile:`, `sources:`, `ignore:`, `watch:`
    # @return [Array<Hash>] a Hash for each gem, what can go first: `:name`, `:version`, `:verdict` ("probably_unused",
    #   "unknown" or "used"), `:confidence` ("high", "medium", "low"; nil of others), `:severity`, `:reasons`, and
    #   `:saves`: `:gems` that leave with it, `:code`, `:classes`, `:strings`, `:bytes`
    def gems(moment = nil, **options)
      SignalHandler.refuse("LeakHunter.gems")
      Gems.call(moment, **options)
    end

    # Reads a project's code for what may leak (see {Lint} for the shape of the findings).
    #
    # @param dir [String] the project's folder
    # @param report [Report, Hash, nil] of a diff with holders: what grows comes first
    # @param rubocop [Boolean, nil] whether to run RuboCop if the project has it; nil is what `.leak_hunter.yml` says
    # @return [Array<Hash{Symbol => Object}>] the most severe first
    def lint(dir = WorkingDirectory.path, report: nil, rubocop: nil, progress: nil)
      SignalHandler.refuse("LeakHunter.lint")
      Lint.new(dir, report:, rubocop:, lockfile: Project::Lockfile.of(dir), progress:).findings
    end

    # Does all five steps that find a leak, for this process and its project, or for dumps of another one.
    #
    # With a block, measures what it leaks: calls it once so that caches fill, then twice, with a moment before, between
    # and after.
    #
    # @param moments [Array<Dump, Mark, Heap, String>] three or more, as {diff} takes them; the last alone is enough for
    #   what a heap says of gems
    # @param dir [String] the project's folder
    # @param lock [String, nil] its lock file; nil is the one that Bundler finds
    # @param live [Boolean] whether this process is the application's
    # @param rubocop [Boolean, nil] whether to run RuboCop; nil is what `.leak_hunter.yml` says
    # @param online [Boolean] whether to ask the sources of gems for newer versions
    # @param progress [#call, nil] of reading the moments, see {diff}
    # @return [Checkup]
    def checkup(*moments, dir: WorkingDirectory.path, lock: nil, live: moments.empty?, rubocop: nil, online: false,
                threads: nil, progress: nil, &work)
      SignalHandler.refuse("LeakHunter.checkup")
      raise UsageError, "checkup: give it moments or a block, not both" if work && moments.any?

      moments = Checkup::Hunt.call(&work) if work
      Checkup.run(Checkup::Subject.new(moments, dir:, lock:, live:, rubocop:, online:, threads:, progress:))
    end

    # @yieldparam configuration [Configuration]
    def configure
      yield configuration
    end

    # @return [Configuration]
    def configuration = @configuration ||= Configuration.new
  end
end

LeakHunter::EagerLoad.own_files
