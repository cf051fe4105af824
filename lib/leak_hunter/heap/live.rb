# frozen_string_literal: true

require "leak_hunter/process_identity"
require "leak_hunter/ractors"
require "leak_hunter/recorder"
require "leak_hunter/without_gc"

module LeakHunter
  class Heap
    # What {Heap.live} needs to know of this process, and the walk itself.
    module Live
      # At most: what finalizers held dies in the collection after the one that ran them.
      COLLECTIONS = 3
      # A mark says nothing of untraced objects, and so not of what finalizers held.
      COLLECTIONS_OF_MARK = 1
      private_constant :COLLECTIONS, :COLLECTIONS_OF_MARK

      class << self
        # @param names [Boolean] whether to note down which constants, variables and threads hold what
        # @param redact [Boolean, nil] as of {Recorder::Names}
        # @return [Array(Native::Heap, Float, Boolean)] the heap, seconds of the pause, whether sites could be read
        def take(names:, redact:, gc:, threads:) # rubocop:disable Naming/MethodParameterName
          # the entries of a stopped tracer are of dead objects whose addresses living ones have now
          Tracing.forget_leftovers
          ledger = Recorder::Names.new(0.0, redact:)
          # A collection would make the names void: it may give an address to another object.
          WithoutGC.run { ledger.read(0.0) } if names && !Ractors.running?
          Native.live(ledger.text, facts.merge(threads:, collections: gc ? COLLECTIONS : 0))
        ensure
          ledger&.clear
        end

        # Counts what is alive.
        #
        # @return [Native::Mark]
        # @raise [Unsupported] where the heap cannot be walked
        def mark
          unless Native.respond_to?(:mark)
            raise Unsupported, "the heap of a living process cannot be read on #{RUBY_PLATFORM}"
          end

          Tracing.forget_leftovers
          Native.mark(facts.merge(snapshot: "mark", own_path: Recorder::Envelope::OWN_PATH,
                                  collections: COLLECTIONS_OF_MARK))
        end

        # The shared library of Ruby's extension, which knows what tracing has recorded. Some Rubies have it built in.
        # Array#index makes no object; what `find` makes is left on the stack, where the collector sees it.
        def objspace
          index = $LOADED_FEATURES.index { |path| path.match?(%r{/objspace\.(so|bundle)\z}) }
          index && $LOADED_FEATURES[index]
        end

        # Whether the VM compiles code to machine code.
        def jit?
          %i[YJIT MJIT].any? { |name| RubyVM.const_defined?(name, false) && RubyVM.const_get(name, false).enabled? }
        end

        private

        # The rest is read at the moment of the walk.
        def facts
          tracing = Tracing.of_moment
          { id: ProcessIdentity.random(16), boot: ProcessIdentity.boot, pid: Process.pid,
            host: ProcessIdentity.host, sequence: ProcessIdentity.next_sequence,
            taken_at: Time.now.utc.strftime("%Y-%m-%dT%H:%M:%S.%6NZ"), ruby: RUBY_VERSION, platform: RUBY_PLATFORM,
            tracing_since: tracing&.fetch(:generation), tracer: tracing&.fetch(:mode)&.name,
            sampling: tracing && tracing[:sampling], snapshot: "live",
            generation: 0, compactions: 0,
            objspace:, heap_page_size: Recorder::Memory::PAGE, ask_for_sites: false, jit: jit? }
        end
      end
    end
    private_constant :Live
  end
end
