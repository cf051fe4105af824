# frozen_string_literal: true

module LeakHunter
  class CLI
    # Finds in a dump what a report calls `Shop::TRAIL`, `Cache.@pages`, `$trail` or `thread-local [:jobs]`: from what
    # has a name of its own, and from there by how each object refers to the next.
    class NameLookup
      # Objects that are followed at each step.
      MOST = 1_000

      CONSTANT = /\A\p{Upper}\p{Word}*(?:::\p{Upper}\p{Word}*)*/
      # Kinds of names that need nothing in front of them, with how they are written.
      ANCHORS = {
        "global" => /\A(\$[^\s.\[]+)/,
        "fiber_local" => /\A(?:thread-local|Thread\#) ?[^\[]*\[:?(.+?)\](?=[.\[ ]|\z)/,
        "thread_variable" => /\Athread variable [^\[]*\[:?(.+?)\](?=[.\[ ]|\z)/,
        "fiber_storage" => /\Afiber storage \[:?(.+?)\](?=[.\[ ]|\z)/
      }.freeze
      # The next step of a name: a constant, a variable, what is in brackets, or a class.
      STEPS = [
        /\A::(\p{Upper}\p{Word}*)/, /\A[. ](@{1,2}\p{Word}+)/, /\A\.?(\p{Word}+[?!]?)/,
        /\A(\[.*?\])(?=\[|\.|::| → |\z)/, /\A → (.+?)(?=\.@|\[| → |\z)/
      ].freeze
      CLASS_STEP = " → "
      # What Ruby code has no reference to; names leave it out.
      HIDDEN = %w[IMEMO ICLASS].freeze
      private_constant :MOST, :CONSTANT, :ANCHORS, :STEPS, :CLASS_STEP, :HIDDEN

      # @return [String] as much of the name as was found
      attr_reader :known

      # @param heap [Heap]
      # @param name [String]
      def initialize(heap, name)
        @heap = heap
        @native = heap.native
        @name = name
        @known = ""
      end

      # @return [Array<HeapObject>] none, if there is nothing of this name
      def objects
        return [] unless @name.valid_encoding?

        numbers, rest = anchor
        until rest.empty? || numbers.empty?
          step, name = next_step(rest)
          return [] unless step

          followed = numbers.flat_map { |number| followed(number, name, step.start_with?(CLASS_STEP)) }
          numbers = followed.uniq.first(MOST)
          rest = rest.delete_prefix(step)
          @known = @name.delete_suffix(rest) unless numbers.empty?
        end
        numbers.map { |number| HeapObject.new(@heap, number) }
      end

      private

      def next_step(rest)
        STEPS.each { |pattern| return rest[pattern], rest[pattern, 1] if rest.match?(pattern) }
        nil
      end

      # @return [Array] numbers of objects, and the rest of the name
      def anchor
        ANCHORS.each do |kind, pattern|
          match = @name.match(pattern) or next
          return known_as(match[0], without_owner(kind, match[1]))
        end
        constant = @name[CONSTANT] or return [[], ""]
        parts = constant.split("::")
        parts.size.downto(1) do |size|
          found = known_as(parts.first(size).join("::"), @native.modules_named(parts.first(size).join("::")))
          return found unless found.first.empty?
        end
        # a constant of no module
        [@native.modules_named("Object"), "::#{@name}"]
      end

      def known_as(text, numbers)
        @known = text unless numbers.empty?
        [numbers, @name.delete_prefix(text)]
      end

      def without_owner(kind, name)
        @native.names_without_owner.filter_map { |of, key, number| number if of == kind && key == name }.uniq
      end

      # @param by_class [Boolean] whether the class of what is referred to counts, too
      def followed(number, name, by_class, through: 1)
        @native.named_references_of(number).flat_map do |_, key, child|
          if key == name || (by_class && key.nil? && @native.class_name_of(child) == name) then [child]
          elsif key.nil? && through.positive? && HIDDEN.include?(@native.type_of(child))
            followed(child, name, by_class, through: through - 1)
          else
            []
          end
        end
      end
    end
  end
end
