# frozen_string_literal: true

require "leak_hunter/arguments"
require "leak_hunter/diff/options"

module LeakHunter
  # Compares three or more heap dumps of one process. What was born between the first and the last but one and is still
  # there in the last is what leaked. With more than three, the verdicts on holders are surer. The work is done in Rust,
  # in this process, with the GVL released: other threads run, and `Timeout`, `Thread#kill` and Ctrl-C stop it.
  #
  #   LeakHunter.diff("1.json", "2.json", "3.json", top: 10, ignore: [/bootsnap/])
  #
  # == The result
  #
  # A plain Hash with symbol keys; every String in it is valid UTF-8. Sizes are in bytes, counts in records (one record
  # is one object), generations in garbage collections (`GC.count`). `nil` means "not known".
  #
  # [`:schema`] version of this shape, an Integer; 1
  # [`:identity`] what told one object from another: `"generation"` (the garbage collection of its birth; immune to
  #   reused slots and to compaction), `"generation+address"`, `"address+class"` (nothing was traced) or `"address"`
  #   (asked for)
  # [`:group_by`] names by which the survivors are grouped, Array of String
  # [`:sort`] `"memsize"`, `"count"` or `"bytesize"`; groups come largest first
  # [`:dumps`] a Hash for each moment, first dump first:
  #   [`:path`] the file, as it was given
  #   [`:bytes`] its size
  #   [`:records`] objects in it; 0, as all of its numbers, of a mark that was not counted
  #   [`:memsize`] bytes those objects take, slots and what they allocated beside
  #   [`:tracing_memsize`], [`:own_memsize`] of these, the tables of allocation tracing, and heaps and marks that
  #     LeakHunter had in memory
  #   [`:generation`] `GC.count` when it was taken, Integer or nil
  #   [`:traced`], [`:untraced`] records with and without a generation
  #   [`:free_slots`] records of empty slots (dumps taken with `full: true`); not counted in `:records`
  #   [`:duplicates`] records whose address came before in the same dump
  #   [`:skipped`] lines that are no record: `{count:, first: [{line:, byte:, reason:}, ...]}`, the first five at most;
  #     lines count from 1, bytes from 0
  #   [`:recorded`] what {LeakHunter.dump!} wrote about the dump, nil for dumps of other origin: `:id`, `:boot`
  #     (Strings that name the dump and the boot of its process), `:pid`, `:host`, `:sequence` (of this dump in its
  #     process), `:taken_at` (ISO 8601, UTC), `:ruby`, `:generation`, `:compactions` (so far), `:tracing_since`
  #     (`GC.count` when tracing started, or nil), `:snapshot` (`"in_process"`, `"fork"`, `"walk"`, `"live"` or
  #     `"mark"`), and `:memory`, what the process took then, nil in dumps of older versions: `:rss`, `:shared` (of it,
  #     what belongs to files), `:heap_bytes` (pages of Ruby's heap), `:live_slots`, `:free_slots`, `:malloc_increase`,
  #     `:oldmalloc_increase` (bytes allocated outside the slots since the last collection, and the last full one); each
  #     nil where it is not known; `:unmeasured`, the names of structs of C extensions of which objects are counted with
  #     the size of their slots alone, since the extension took too long to add theirs up
  # [`:groups`] Array of Hash, largest first. Each has exactly the keys of `:group_by`, and the numbers:
  #   [`:type`] Ruby's internal type: `"OBJECT"`, `"STRING"`, `"DATA"`, `"IMEMO"` (the VM's own) …
  #   [`:class`] name of the class; `"#<Class:...>"` for one without a name; the struct's name for DATA without a
  #     class, the kind of IMEMO
  #   [`:file`], [`:line`], [`:method`] where it was made; nil when it was not traced
  #   [`:generation`] only when grouped by it
  #   [`:gem`] `"rack 2.2.6"`, `"stdlib"`, `"ruby"`, `"app"` or nil; there whenever file or gem is in `:group_by`
  #   [`:count`] objects; with bytes an estimate where the last moment was sampled
  #   [`:estimate`] what that is estimated from, else nil: `:sampled` objects that are known, and what there is at least
  #     and at most with a probability of 95 %, `:lowest` and `:highest`
  #   [`:cache_count`], [`:cache_memsize`] of these, inline caches of the VM, which are counted apart: there is one for
  #     each call in code that has run. Those of a line that has 64 or more are not: they grow with the data
  #   [`:bytesize`] bytes of String contents; 0 where the third is a {Heap} loaded from a dump, which lacks them
  #   [`:memsize`] bytes the objects take, slots included
  #   [`:generations`] `[min, max]` of the births, or nil
  #   [`:addresses`] a few sample addresses, `"0x7f…"` as in the third dump; as many as `samples:`
  #   [`:context`] only when grouped by it
  #   [`:contexts`] what the application was doing when they were allocated ({LeakHunter.context}), those of most
  #     objects first, five at most: `{context:, count:}`; the context is nil of what was allocated outside of all.
  #     Empty where no object has a context
  #   [`:context_count`] how many different contexts there are
  #   [`:callers`] where {LeakHunter.trace!} recorded the stacks of their sites (`focus:`), ten at most: `:frames` as in
  #     a backtrace, `:through` (the application's own methods among them, the outermost first), `:stayed` (objects of
  #     this group) and `:died` (objects of any class that came through the stack and are gone). Those whose objects
  #     stayed come first. Else empty
  #   [`:caller_totals`] of all of them: `:stacks`, `:stayed`, `:died`
  # [`:holders`] with `holders: true` who holds what leaked, Array of Hash as {Holders} tells; else nil
  # [`:grown_in_place`] with `holders: true` what was there at every moment and got longer without new objects, most
  #   bytes first, else nil: `:name`, `:named_by`, `:address`, `:class`, `:type`, `:unit` of its lengths (`"entries"` of
  #   an Array or a Hash, `"bytes"` of a String), `:growth` (its length at each moment), `:by_name` (objects moved, so
  #   that it was compared by its name; new objects may be what it grew by), `:memsize`, `:verdict`, `:path`,
  #   `:position` as of {Holders}. Strings below 4 kB and growth below 64 entries or 4 kB are left out
  # [`:verdict`] with `holders: true` the answer for the whole, else nil: `:name` (`"leak"` when something grows,
  #   `"no_leak"`, `"undecided"`), `:growing`, `:inconclusive`, `:draining`, `:replaced`, `:once`, `:too_few`
  #   (`:holders`, `:count`, `:memsize` of each), `:nothing_stayed` (nothing but inline caches, garbage, and a few
  #   objects here and there), `:another_moment_settles` (of what is inconclusive)
  # [`:flame`] with `flame: true` what leaked as the trees of a flame graph, else nil: for each view `:name`
  #   (`"retained"`, `"paths"`, `"sites"`), `:title`, `:labels`, and of each frame its `:label` (index of a label),
  #   `:parent` (index of a frame), `:count` and `:bytes` (without what is below it). The first frame is everything
  # [`:seconds`] from each moment to the next, Float or nil
  # [`:totals`] `:groups` (all of them), `:shown` (after `top:`), `:count`, `:bytesize`, `:memsize` (of all groups),
  #   `:filtered_count`, `:filtered_memsize` (survivors that `only:` and `ignore:` left out), `:own_count` (survivors
  #   that LeakHunter itself made, left out too), `:third_count`, `:third_memsize` (everything in the third dump),
  #   `:cache_groups` (groups of nothing but inline caches), `:cache_count`, `:cache_memsize` (inline caches in all
  #   groups; they have no holder), and with `holders: true` `:garbage_count`, `:garbage_memsize` (what no root leads to
  #   has no holder either; on Ruby 4.1 it may be another Ractor's)
  # [`:ledger`] how much of what the process grew by is Ruby objects, see docs/ledger.md: `:conclusion` (`"flat"`,
  #   `"objects_explain"`, `"leak_hunter_explains"`, `"free_slots_explain"`, `"not_ruby_objects"`, `"partly"` or
  #   `"unknown"`), `:growth` (bytes, from the first moment to the last: `:rss`, `:process`, `:heap_bytes`, `:objects`,
  #   `:tracing`, `:own`, `:free_slots`, `:unexplained`; and `:objects_share`), `:new_objects` (bytes of the survivors),
  #   `:moments` (for each `:memory`, `:objects`, `:tracing`, `:own`)
  # [`:evidence`] why to believe it, and how much:
  #   [`:identity`] as above
  #   [`:confidence`] `"exact"`, `"high"` or `"low"`
  #   [`:reasons`] what keeps it from being exact, Array of String: `"untraced"`, `"mostly_untraced"`, `"no_tracing"`,
  #     `"tracing_lost"`, `"tracing_unreliable"` (objects moved on Ruby < 3.4), `"compaction"`,
  #     `"compaction_inferred"`, `"boundary"`, `"skipped_lines"`, `"process_unknown"`, `"address_only"`,
  #     `"partial_dump"` (the last dump lacks objects: `dump_all since:`), `"sampled"` (one object in so many is known:
  #     numbers are estimates), `"samples_lost"` (sampled objects were given up, numbers are
  #     too low), `"mixed_tracers"` (some moments were sampled and others not)
  #   [`:traced`], [`:untraced`] records of the third dump
  #   [`:survivors`] records by what decided about them: `:by_generation`, `:at_boundary` (born in the generation in
  #     which a dump was taken; the address decided), `:untraced` (address and class decided)
  #   [`:withheld`] records that may have leaked and are *not* in the groups, because their identity could not be told:
  #     `:untraced_moved` (untraced, and objects moved), `:tracing_lost` (the slot held a traced object before, so
  #     tracing was stopped, cleared, or its record lost in a move), `:boundary` (born in the generation of a dump, and
  #     objects moved)
  #   [`:slots_reused`] survivors in a slot that held another object in the first dump; a diff by address misses them
  #   [`:compaction`] `:first_to_second` (up to the last but one), `:second_to_third` (from there on; true, false or
  #     nil), `:source` (`"recorded"`, `"inferred"` or nil)
  #   [`:same_process`] `"recorded"`, `"inferred"` or `"unknown"`
  #   [`:skipped_lines`] of all three dumps
  #   [`:one_in`, `:sampled_by`] where the last moment was sampled, for how many objects each known one stands on the
  #     average, and what was counted until the next one (`"allocations"` or `"bytes"`); else nil
  module Diff
    autoload :Pattern, "leak_hunter/diff/pattern"

    # The path of a JSON Schema of the result.
    RESULT_SCHEMA = File.join(__dir__, "diff/result.schema.json").freeze

    # Where LeakHunter's own objects are made: what it keeps between the dumps, such as {Dump}s, is no news.
    OWN_PATHS = [__dir__, File.dirname(__FILE__)].uniq.flat_map { |dir| ["#{dir}/", "#{dir}.rb"] }.freeze
    private_constant :OWN_PATHS

    # @param moments [Array<String, Pathname, Dump, #to_path, Heap, Mark>] three or more, the first of them first:
    #   dumps, {Heap.live} or {LeakHunter.mark} of that moment; the last one is no mark
    # @option options [Symbol] :identity `:auto`, or `:address` for the answer of the classic three-dump script, which
    #   takes an address for an object and so is wrong wherever a slot was reused or an object moved
    # @option options [Array<Symbol>] :group_by any of type, class, file, line, method, gem, generation,
    #   context
    # @option options [Symbol] :sort `:memsize`, `:count` or `:bytesize`
    # @option options [Integer, nil] :top keep the largest so many groups; nil keeps all
    # @option options [Array<String, Regexp>] :only keep survivors whose class or file matches one of these. A String
    #   is a part of the name (`*` stands for anything); a Regexp is matched by Rust's regex, which knows neither
    #   look-around nor back-references
    # @option options [Array<String, Regexp>] :ignore leave out survivors whose class or file matches one of these
    # @option options [Integer, :all, nil] :threads nil leaves one core to the application, and on Linux runs at a
    #   lower priority than it; with a number, so many threads run at the priority of the process; `:all` is one for
    #   each core, as the command line does it
    # @option options [Integer] :samples addresses to keep of each group
    # @option options [Boolean] :holders find who holds what leaked (see {Holders} for `result[:holders]`); reads the
    #   third dump once more and takes some 30 bytes of memory for each object in it. Not with `identity: :address`
    # @option options [Boolean] :flame with holders, what {Report#to_html} draws a flame graph of, in `result[:flame]`
    # @option options [Boolean, nil] :redact which of the application's data stays out of the holders' names: nil for
    #   keys of Hashes and names of threads of the living process, true for keys of thread-locals and whatever a dump
    #   has, too, false for nothing
    # @option options [Boolean] :timings say in `result[:timings]` how long each step took: Hashes of `:phase`
    #   (`"read"`, `"groups"`, `"heap"`, `"graph"`, `"holders"`), `:dump` (index of the one that was read, or nil) and
    #   `:seconds`
    # @option options [#call, nil] :progress called with bytes done and bytes in all; what it raises stops the diff.
    #   With holders the last dump counts twice: finding them takes about as long as reading it
    # @return [Hash{Symbol => Object}] see above
    # @raise [UsageError] an argument that cannot be
    # @raise [DumpError] a file that cannot be used
    # @raise [MismatchError] dumps that cannot be compared
    def self.call(*moments, **options)
      SignalHandler.refuse("LeakHunter.diff")
      moments = check(moments)
      options = Options.check(options)
      # the classic answer has everything in it
      options[:own_paths] = OWN_PATHS unless options[:identity] == "address"
      result = Native.diff(moments, options)
      options[:holders] ? Holders.name(result, redact: options[:redact]) : result
    end

    # What a diff finds, as addresses in the third dump or heap: for {Heap#export}, `only:`. Takes what {call} takes.
    #
    # @param threads [Integer, :all, nil] as above
    # @param progress [#call, nil] as above
    # @return [Array<Integer>]
    # @raise see above
    def self.survivors(*moments, threads: nil, progress: nil, **unknown)
      SignalHandler.refuse("LeakHunter::Diff.survivors")
      Arguments.refuse_unknown(unknown, method(__method__))
      threads = Arguments.threads(threads)
      progress = Arguments.callable(:progress, progress)
      Native.survivors(check(moments), OWN_PATHS, threads, progress)
    end

    ORDINALS = %w[first second third fourth fifth sixth seventh eighth ninth tenth].freeze
    private_constant :ORDINALS

    # @return [Array<String, Native::Heap, Hash>] what the native side takes
    def self.check(moments)
      if moments.size < 3
        raise UsageError, "a diff takes three or more dumps, heaps or marks of one process, not #{moments.size}"
      end

      moments.each_with_index.map { |dump, index| moment(ORDINALS.fetch(index) { "#{index + 1}th" }, dump) }
    end
    private_class_method :check

    # @return [String, Native::Heap, Hash]
    def self.moment(name, dump)
      # a heap or a mark, whose classes need not be loaded for this
      return dump.to_moment if Arguments.responds?(dump, :to_moment)

      Arguments.path("#{name} dump", dump, expected: "a path or a dump")
    end
    private_class_method :moment
  end
end
