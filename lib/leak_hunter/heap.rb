# frozen_string_literal: true

require "leak_hunter/arguments"
require "leak_hunter/core_methods"
require "leak_hunter/heap/live"
require "leak_hunter/heap_object"

module LeakHunter
  # All objects of a process at one moment, and who refers to whom.
  #
  #   heap = LeakHunter::Heap.load("3.json")
  #   heap.top(by: :retained, limit: 3)
  #   heap["0x7f0509b3efd8"].retained_size
  #   heap.instances_of("User").first.path_to_root
  #
  # It is read by Rust into tables of some thirty bytes an object; a {HeapObject} is made when it is asked for. What
  # takes a pass over the whole heap (who refers to an object, what it retains, its way from the roots) is computed when
  # it is first needed and kept. Meanwhile other threads run, and `Timeout`, `Thread#kill` and Ctrl-C stop it.
  #
  # A heap does not change, may be used by several threads at once and goes on working in a forked child. It keeps none
  # of its objects alive. There is nothing to close: its tables are freed with it.
  class Heap
    autoload :Export, "leak_hunter/heap/export"

    include Enumerable

    # Numbers of objects fetched at once.
    BATCH = 1024
    TOPS = %i[retained count bytes class gem site].freeze
    ROWS = (0..4_294_967_295)
    private_constant :BATCH, :TOPS, :ROWS

    class << self
      # Reads a dump.
      #
      # @param dump [String, Pathname, Dump, #to_path]
      # @param threads [Integer, :all, nil] nil leaves one core to the application, and on Linux runs at a lower
      #   priority than it; `:all` is one for each core
      # @param redact [Boolean, nil] what is left out of all names: true for keys of thread-locals and the like; false
      #   and nil for nothing that the dump has
      # @param progress [#call, nil] called with bytes done and bytes in all; what it raises stops the reading
      # @return [Heap]
      # @raise [UsageError] an invalid argument
      # @raise [DumpError] a file that cannot be used
      def load(dump, threads: nil, redact: nil, progress: nil, **unknown)
        SignalHandler.refuse("LeakHunter::Heap.load")
        Arguments.refuse_unknown(unknown, method(__method__))
        path = Arguments.path("dump", dump, expected: "a path or a dump")
        threads = Arguments.threads(threads)
        progress = Arguments.callable(:progress, progress)
        redact = Arguments.boolean(:redact, redact, optional: true)
        new(Native.load_heap(path, threads, redact ? true : false, progress), path:)
      end

      # Reads the heap of this process, where it is: without a file, and many times faster than a dump is written. The
      # process is paused for {#pause}; then the tables are built while it runs. Allocation sites are known where
      # allocations are traced ({LeakHunter.trace!}); this does not start tracing.
      #
      # @param names [Boolean] whether to note down first, as {LeakHunter.dump!} does, which constants, variables and
      #   threads hold what
      # @param redact [Boolean, nil] what is left out of all names: nil for names of threads, true for keys of
      #   thread-locals and the like, too, false for nothing
      # @param gc [Boolean] whether garbage is collected first, so that the heap has what is alive and nothing else
      # @param threads [Integer, nil] as in {load}, of those that build the tables
      # @return [Heap]
      # @raise [Unsupported] on a Ruby whose heap cannot be walked, and beside other Ractors before Ruby 4.0
      def live(gc: true, names: true, redact: nil, threads: nil, **unknown) # rubocop:disable Naming/MethodParameterName
        SignalHandler.refuse("LeakHunter::Heap.live")
        Arguments.refuse_unknown(unknown, method(__method__))
        threads = Arguments.threads(threads)
        redact = Arguments.boolean(:redact, redact, optional: true)
        unless Native.respond_to?(:live)
          raise Unsupported, "the heap of a living process cannot be read on #{RUBY_PLATFORM}; take a dump"
        end

        native, pause, sites = Live.take(names:, redact:, gc:, threads:)
        new(native, pause:, sites:)
      end

      # @api private
      # @return [String, nil] file of the library that knows what tracing has recorded
      def objspace = Live.objspace

      # @api private
      def jit? = Live.jit?

      # @api private
      def mark = Live.mark

      private :new
    end

    # @return [String, nil] the dump it was read from; nil of a live heap
    attr_reader :path

    # @return [Float, nil] seconds for which the process was paused while its heap was walked; nil of a dump
    attr_reader :pause

    # @api private
    def initialize(native, path: nil, pause: nil, sites: true)
      @native = native
      @path = path
      @pause = pause
      @sites = sites
      native.freeze
      freeze
    end

    # @return [Boolean] whether what tracing had recorded could be read. That is false of live heaps of a Ruby with
    #   objspace built in: no {HeapObject#site} and no {HeapObject#generation} is known then
    def sites? = @sites

    # @return [Integer] number of objects
    def size = @native.size
    alias length size

    # @return [Integer] bytes of all objects, slots included
    def memsize = @native.memsize

    # @return [Integer, nil] `GC.count` of the moment, where LeakHunter took the dump
    def generation = recorded&.fetch(:generation)

    # @return [Hash{Symbol => Object}, nil] what LeakHunter wrote about the moment (see {Diff}, `:recorded`); nil of
    #   dumps of other origin
    def recorded = @native.recorded

    # @return [Integer] references to what is no object of this heap
    def dangling = @native.dangling

    # @return [Integer] objects that no root leads to: garbage not yet collected, and from Ruby 4.1 on
    #   what other Ractors hold, since a heap has the roots of one
    def unreachable = @native.unreachable

    # All objects, by ascending address. This and all other methods that return an Enumerator take a block instead, and
    # return their receiver then.
    #
    # @yieldparam object [HeapObject]
    # @return [Enumerator<HeapObject>, self]
    def objects(&)
      walk(Enumerator.new(size) { |found| size.times { |number| found << object(number) } }, &)
    end
    alias each objects

    # @param class_name [String, Class, nil] as {instances_of} takes it; nil for all objects
    # @yieldparam object [HeapObject]
    # @return [Enumerator<HeapObject>, self]
    def each_object(class_name = nil, &) = class_name ? instances_of(class_name, &) : objects(&)

    # @param address [Integer, String] `"0x7f…"`
    # @return [HeapObject, nil] the object at this address
    # @raise [UsageError] it is no address
    def [](address)
      number = @native.find(Arguments.address("address", address))
      number && object(number)
    end

    # The object at an address, as {[]}; with a block and no address, `Enumerable#find`.
    #
    # @param address [Integer, String]
    # @return [HeapObject, nil]
    def find(address = (none = true), &block)
      return block ? super(&block) : super() if none

      self[address]
    end

    # @return [Array<Hash>] `:class` (name, as {HeapObject#class_name} has it; nil for the VM's hidden objects),
    #   `:count`, `:memsize`; most bytes first. The tables of allocation tracing have a row of their own
    def classes = @native.by_class

    # The instances of a class, found as they are asked for. Those of subclasses do not count.
    #
    # @param class_name [String, Class]
    # @yieldparam object [HeapObject]
    # @return [Enumerator<HeapObject>, self]
    def instances_of(class_name, &)
      name = CoreMethods.a?(class_name, Module) ? CoreMethods::MODULE_NAME.bind_call(class_name) : class_name
      raise UsageError, "expected the name of a class, got #{Arguments.show(class_name)}" unless name.is_a?(String)

      name = name.encode(Encoding::UTF_8, invalid: :replace, undef: :replace)
      instances = Enumerator.new do |found|
        from = 0
        until (numbers = @native.instances_of(name, from, BATCH)).empty?
          numbers.each { |number| found << object(number) }
          from = numbers.last + 1
        end
      end
      walk(instances, &)
    end

    # @return [Hash{String => Enumerator<HeapObject>}] what the VM itself holds, by category (`"vm"`,
    #   `"machine_context"`, …)
    def roots = @native.roots.transform_values { |numbers| some(numbers) }

    # What is largest. Each row is a Hash:
    #
    # [`by: :retained`] `:address`, `:class`, `:type`, `:memsize`, `:retained_size`, `:object` (a {HeapObject}): the
    #   objects without which most bytes would be free
    # [`by: :count`, `by: :bytes`] `:class`, `:count`, `:memsize`: the classes with most instances, or most bytes
    # [`by: :class`] the same and `:retained_size`: the classes whose instances retain most, each on its own
    # [`by: :gem`] `:gem`, `:count`, `:memsize`: by the gem that allocated the objects; nil where that is not known
    # [`by: :site`] `:file`, `:line`, `:method`, `:gem`, `:count`, `:memsize`: by allocation site
    #
    # @param limit [Integer] rows at most
    # @return [Array<Hash>] largest first
    def top(by: :retained, limit: 20, **unknown)
      Arguments.refuse_unknown(unknown, method(__method__))
      Arguments.integer(:limit, limit, ROWS)
      case Arguments.one_of(:by, by, TOPS.map(&:name)).to_sym
      when :retained then @native.largest_retainers(limit).map { |number| retainer(object(number)) }
      when :count then classes.sort_by { |row| [-row[:count], -row[:memsize], row[:class].to_s] }.first(limit)
      when :bytes then classes.first(limit)
      when :class then retaining_classes.first(limit)
      when :gem then @native.by_gem.first(limit)
      when :site then @native.by_site(limit)
      end
    end

    # Writes the heap for another program.
    #
    # [`:folded`] folded stacks with their bytes, for flame graph tools of all kinds
    # [`:speedscope`] all three views for https://www.speedscope.app
    # [`:flame`] a flame graph: one HTML file that loads nothing
    # [`:heapsnapshot`] for the memory panel of Chrome. There are no contents of Strings in it
    # [`:dot`] an object and its neighbours, for Graphviz
    #
    # Of the first three, each object's own bytes count once, so that all frames add up to the heap. What is small is
    # folded into frames called `…`.
    #
    # @param format [Symbol, String]
    # @param destination [String, Pathname, #write] a path, which is written whole or not at all, or an IO
    # @option options [Symbol] :view of folded stacks: `:retained` (by who alone keeps it alive, the default), `:paths`
    #   (by the shortest way from the roots) or `:sites` (by gem, file and method of the allocation)
    # @option options [Enumerable<HeapObject, Integer, String>] :only count the bytes of these objects, or addresses,
    #   alone; for `:folded`, `:speedscope` and `:flame`
    # @option options [String] :title what it is of; for `:speedscope` and `:flame`
    # @option options [Integer] :depth frames below each other at most
    # @option options [Integer] :frames the largest so many
    # @option options [HeapObject, Integer, String] :object whose neighbours `:dot` shows
    # @option options [Symbol] :relation `:any` (default), `:references`, `:referrers` or `:dominators`; for `:dot`
    # @option options [Integer] :limit objects that `:dot` shows at most, the nearest
    # @return [void]
    # @raise [UsageError] an invalid argument
    # @raise [Error] it cannot be written
    def export(format, destination, **options)
      SignalHandler.refuse("heap.export")
      Export.call(self, format, destination, **title(format), **options)
      nil
    end

    # Writes a flame graph: see {#export}.
    #
    # @return [void]
    def flame(destination, **options) = export(:flame, destination, **options)

    def inspect
      what = path ? Printable.call(path) : "of this process"
      format("#<%<class>s %<what>s: %<size>d objects>", class: self.class, what:, size:)
    end
    alias to_s inspect

    # @api private
    attr_reader :native
    alias to_moment native

    private

    def title(format)
      if %w[speedscope flame].include?(format.to_s)
        { title: path ? File.basename(path) : "this process" }
      else
        {}
      end
    end

    def walk(enumerator, &block)
      return enumerator unless block

      enumerator.each(&block)
      self
    end

    def object(number) = HeapObject.new(self, number)

    def some(numbers) = HeapObject.enumerator(self, numbers)

    def retainer(object)
      { address: object.address, class: object.class_name, type: object.type, memsize: object.memsize,
        retained_size: object.retained_size, object: }
    end

    def retaining_classes
      retained = @native.retained_by_class
      rows = classes.map { |row| row.merge(retained_size: retained.fetch(row[:class], 0)) }
      rows.sort_by { |row| [-row[:retained_size], -row[:memsize], row[:class].to_s] }
    end
  end
end
