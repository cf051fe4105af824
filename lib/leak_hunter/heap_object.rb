# frozen_string_literal: true

require "leak_hunter/printable"

module LeakHunter
  # An object of a {Heap}: what was known of it at that moment. It is not the object itself and does not keep it alive.
  #
  # Methods that return an Enumerator take a block instead, and return their receiver then.
  class HeapObject
    # @api private
    def self.enumerator(heap, numbers)
      Enumerator.new(numbers.size) { |found| numbers.each { |number| found << new(heap, number) } }
    end

    # @return [Heap]
    attr_reader :heap

    # @api private
    attr_reader :number

    # @api private
    def initialize(heap, number)
      @heap = heap
      @native = heap.native
      @number = number
      freeze
    end

    # @return [String] `"0x7f…"`, as in dumps and reports
    def address = "0x#{@native.address_of(@number).to_s(16)}"

    # @return [String] Ruby's internal type: `"OBJECT"`, `"STRING"`, `"DATA"`, `"IMEMO"` …
    def type = @native.type_of(@number)

    # @return [String, nil] name of the class, past singleton classes; of DATA without a class its struct's name, of
    #   IMEMO its kind; nil of the VM's hidden objects
    def class_name = @native.class_name_of(@number)

    # @return [String] what to call it among others: `"Shop::TRAIL (Array)"` where a constant or variable holds it,
    #   `"class Shop"` of a class, else by its class
    def label = @native.label_of(@number)

    # @return [HeapObject, nil] the class, which may be a singleton class. It is not among the {references}
    def klass = at(@native.class_of(@number))

    # @return [Integer] bytes it takes: its slot and what it allocated outside of it
    def memsize = @native.memsize_of(@number)

    # @return [Integer, nil] elements of an Array or Hash with eight or more
    def length = @native.length_of(@number)

    # @return [Integer, nil] `GC.count` at its allocation; nil when that was not traced
    def generation = @native.generation_of(@number)

    # @return [Hash{Symbol => Object}, nil] its allocation site: `:file`, `:line`, `:method`, `:gem`; nil when that was
    #   not traced
    def site = @native.site_of(@number)

    # @return [Enumerator<HeapObject>] what it refers to, as often as it does so
    def references(&) = some(@native.references_of(@number), &)

    # @return [Enumerator<HeapObject>] what refers to it, once each. Of a class, its instances are not among them (see
    #   {Heap#instances_of})
    def referrers(&) = some(@native.referrers_of(@number), &)

    # The shortest path from the roots: the category of roots it begins with (`:class` is its name, `:type` `"ROOT"`,
    # `:address` nil), then each object on it: `:address`, `:class`, `:type`, and `:edge`, by which the one before
    # refers to it: `:kind` (`"root"`, `"reference"`, `"class"`, or a kind of name such as `"constant"`), `:name` (of
    # the constant, … or nil) and `:named_by` (how that is known, or nil), as in {Holders}, `:path`. A path of 200 steps
    # or more has gaps: edges of the kind `"gap"`, with `:omitted`, the number of steps left out before each.
    #
    # @return [Array<Hash>] the object itself comes last
    def path_to_root = @native.path_to(@number)

    # @return [HeapObject, nil] the closest object through which all paths from the roots lead; nil where there is none
    def dominator = at(@native.dominator_of(@number))

    # @return [Enumerator<HeapObject>] the objects of which this is the {dominator}
    def dominated(&) = some(@native.dominated_by(@number), &)

    # @return [Integer] bytes that would be freed with it: its own and those of all that it alone keeps alive
    def retained_size = @native.retained_size_of(@number)

    # @return [Hash{Symbol => Object}] what is known without a pass over the whole heap
    def to_h
      { address:, type:, class: class_name, memsize:, length:, generation:, site:,
        references: references.map(&:address) }
    end

    def ==(other) = other.is_a?(HeapObject) && heap.equal?(other.heap) && number == other.number
    alias eql? ==

    def hash = [heap.__id__, number].hash

    def inspect
      place = site
      place &&= " from #{[place[:file], place[:line]].compact.join(":")}"
      Printable.call("#<#{self.class} #{address} #{class_name || type}, #{memsize} B#{place}>")
    end
    alias to_s inspect

    private

    def at(number) = number && HeapObject.new(heap, number)

    def some(numbers, &block)
      found = HeapObject.enumerator(heap, numbers)
      return found unless block

      found.each(&block)
      self
    end
  end
end
