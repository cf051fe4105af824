# frozen_string_literal: true

module LeakHunter
  # Gives names to the holders that a diff found: from what a dump says, and, in the process that took the dumps, by
  # examining the living objects.
  #
  # A holder ({LeakHunter.diff} with `holders: true`, `result[:holders]`, those that grow first):
  #
  # [`:name`] what it is called in the program, `"Sessions::ALL"`, `"Cache.@pages"`, `"$trail"`, or nil
  # [`:named_by`] how the least certain part of the name is known: `"dump"` (LeakHunter noted it down with the dump),
  #   `"shape"` (Ruby's shape of the object, Ruby 3.2 and newer), `"position"` (the order of references), `"live"` (the
  #   living object was examined), nil without a name
  # [`:address`] `"0x7f…"`, nil for roots
  # [`:class`] its class; of a class its own name, of roots their category
  # [`:kind`] `"collection"`, `"closure"`, `"class"`, `"thread"`, `"fiber"`, `"object"`, `"threads"` (living ones),
  #   `"thread_locals"`, `"methods"`, `"method_cache"`, `"symbols"`, `"last_value"` (of a thread or fiber that waits),
  #   `"root"` (Ruby's own: finalizers, at_exit …), or `"shared"`: no object alone holds these, this is one of those
  #   that do
  # [`:alike`] how many holders of one class, each held in the same way, are reported as this one; mostly 1
  # [`:count`], [`:memsize`] leaked objects that it accounts for, and their bytes; each is accounted for once
  # [`:estimate`] see {Diff}, where the last moment was sampled, else nil
  # [`:together`] of a `"shared"` one, the others that hold the same, so that removing from one of them frees nothing:
  #   `:name`, `:named_by`, `:address`, `:class`, `:count` (so many of the objects it refers to), `:path` (to it)
  # [`:pinned`] Strings that are alive only because others are parts of them: `:count`, `:memsize`, and where the
  #   largest was allocated, nil without any
  # [`:loaded`] of code that was loaded between the moments: `:feature` (`"mail"`, as it is required; nil where the path
  #   does not say), `:file`, `:files` (how many); else nil
  # [`:entries`] where most of the entries were allocated, of the application's own code if there is some: `:file`,
  #   `:line`, `:method`, `:gem`, `:count`; nil when none was traced
  # [`:keys`] of `"thread_locals"`: `:kind`, `:pattern` (`"req…"`), `:count`
  # [`:thread_name`] of `"threads"`: what they are called, numbers apart
  # [`:reserved`] bytes of stacks of threads and fibers: reserved, not necessarily used
  # [`:consequences`] what goes when the leaked objects go: `:kind` (`"finalizers"`), `:count`, `:memsize`
  # [`:retained`] bytes: `:exclusive` (freed when the leaked objects are removed from the holder), `:shared` (reachable
  #   from them and from elsewhere; allocated since the first dump), `:cut` (freed when the one reference to the holder
  #   is removed; 0 when there are several)
  # [`:verdict`] whether it grows (docs/verdict.md): `:name` (`"growing"`, `"once"`, `"replaced"`, `"draining"`,
  #   `"inconclusive"`), `:reason` (`"every_window"`, `"stopped"`, `"length_flat"`, `"falls_and_rises"`, `"turns_over"`,
  #   `"recent_only"`, `"falls"`, `"loaded"`, `"last_value"`; of inconclusive ones `"too_few"`, `"slowing"`,
  #   `"only_lately"`, `"just_stopped"`, `"little_work"`, `"mostly_replaced"`, `"irregular"`, `"lengths_unknown"`,
  #   `"not_traced"`), `:level` (the index in `:levels` of what decided, or nil), `:another_moment_settles` (true
  #   or false)
  # [`:growth`] entries of the collection at each moment, Integer or nil each; 0 before it was there
  # [`:births`] its age profile, what it keeps by when it was born: before the first moment, then in each window between
  #   two moments; `{count:, memsize:}`. What a class keeps, or several objects together, from the first moment on
  # [`:rates`] the same for each window, with `:seconds` and `:count_per_minute`, `:memsize_per_minute`; nil where the
  #   moments do not say when they were taken
  # [`:levels`] the collection, then the collections inside it that were there at every moment, each depth as one:
  #   `:growth` (nil without a collection), `:entries` (births of the entries, or nil), `:births` (of what hangs on
  #   them)
  # [`:generation`], [`:age`] GC count at its allocation, and GCs from there to the third dump; nil when it was not
  #   traced
  # [`:site`] where it was allocated: `:file`, `:line`, `:method`, `:gem`
  # [`:groups`] what leaked: `{index:, count:}`, index in `result[:groups]` before `top:`, most objects first
  # [`:contexts`], [`:context_count`] what the application was doing when they were allocated, as of groups
  # [`:addresses`] a few of the leaked objects
  # [`:path`] from the roots to one of them: `:address`, `:class`, `:type`, `:edge` (how the step before refers to it:
  #   `:kind`, `:name`, `:named_by`; of the kind `"gap"`, where steps of a long path are left out, also `:omitted`, how
  #   many), `:growth` of a collection (as above), `:thread`, the name of a thread that has one, where that is known,
  #   and `:old` of a class that another one of its name has replaced
  # [`:position`] index of the holder in `:path`
  # [`:other_paths`] as `:path`, to one object each of up to two other groups that it holds, most objects first
  # [`:fingerprint`] 16 hex digits, the same for the same holder in every run, worker and Ruby version
  module Holders
    autoload :LiveNames, "leak_hunter/holders/live_names"
    autoload :Name, "leak_hunter/holders/name"
    autoload :Redaction, "leak_hunter/holders/redaction"

    # @param result [Hash] of the native diff; its holders get their names
    # @param redact [Boolean, nil] which of the application's data stays out of names: nil for keys of Hashes and names
    #   of threads, true for keys of thread-locals, too, false for nothing
    # @return [Hash] the same
    def self.name(result, redact: nil)
      holders = result[:holders] or return result

      Redaction.apply(result) if redact
      LiveNames.add(result, redact:)
      now = result[:dumps].last[:generation]
      holders.each do |holder|
        holder[:age] = now && holder[:generation] && (now - holder[:generation])
        [holder, *holder[:together].to_a].each { |it| it.update(Name.new(it).to_h) }
      end
      result[:grown_in_place].to_a.each { |grown| grown.update(Name.new(grown).to_h) }
      result
    end

    # @param result [Hash] of a diff with holders
    # @return [Array<Array<Hash>>] all paths in it
    def self.all_paths(result)
      result.values_at(:holders, :grown_in_place).flat_map { |list| list.to_a.flat_map { |holder| paths(holder) } }
    end

    # @param holder [Hash]
    # @return [Array<Array<Hash>>] all paths of it
    def self.paths(holder)
      [holder[:path], *holder[:other_paths], *holder[:together].to_a.map { |it| it[:path] }]
    end
  end
end
