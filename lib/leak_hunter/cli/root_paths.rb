# frozen_string_literal: true

module LeakHunter
  class CLI
    # Some objects and the paths from the roots to them. Objects with the same path are counted together.
    class RootPaths
      # Objects of a class whose paths are looked for; more would show the same.
      SAMPLES = 500
      # Referrers that are not on the path, of those named.
      OTHERS = 3

      # One path, the object of it that retains most, and how many of the samples have it.
      RootPath = Struct.new(:object, :steps, :alike) do
        # @return [Array<HeapObject>] what refers to the object, besides the step before it
        def other_referrers
          before = steps[-2]&.fetch(:address)
          @other_referrers ||= object.referrers.reject { |referrer| referrer.address == before }
        end

        # @return [Boolean] whether the VM refers to it, and no object
        def only_by_root?
          edge = steps.first[:edge]
          object.referrers.none? && edge[:kind] == "root" && edge[:name] != "unreachable"
        end
      end

      attr_reader :heap, :count, :memsize

      # @return [Integer] objects whose paths are known
      attr_reader :looked_at

      # @param row [Hash] of {Heap#classes}
      def self.of_class(heap, name, row)
        step = [row[:count].fdiv(SAMPLES), 1].max
        wanted = (0...[row[:count], SAMPLES].min).map { |index| (index * step).floor }
        objects = heap.instances_of(name).with_index.lazy.filter_map do |object, index|
          object if wanted.first == index && wanted.shift
        end
        new(heap, objects.first(wanted.size), count: row[:count], memsize: row[:memsize])
      end

      # @param objects [Array<HeapObject>]
      def initialize(heap, objects, count:, memsize: nil)
        @heap = heap
        @count = count
        @looked_at = objects.size
        @memsize = memsize || objects.sum(&:memsize)
        @paths = group(objects)
      end

      # @return [Array<RootPath>] the most frequent first
      def first(limit) = @paths.first(limit)

      # @return [Integer]
      def size = @paths.size

      # @return [Hash] for JSON
      def to_h(limit)
        { count:, memsize:, looked_at:, ways: size, objects: first(limit).map { |path| describe(path) } }
      end

      private

      def group(objects)
        groups = objects.group_by { |object| shape(steps_to(object)) }
        paths = groups.map do |_, alike|
          object = alike.max_by(&:retained_size)
          RootPath.new(object, steps_to(object), alike.size)
        end
        paths.sort_by { |path| [-path.alike, -path.object.retained_size, path.object.address] }
      end

      # The edge of the first object says which category of roots it is.
      def steps_to(object) = object.path_to_root.drop(1)

      # What paths have in common: the index of an element and the length of a chain do not count.
      def shape(steps)
        keys = steps.map { |step| [step[:class], *step[:edge].values_at(:kind, :name)] }
        keys.each { |key| key[2] = nil if key[1] == "array_element" }
        Repetition.parts(keys, &:itself).flat_map { |index, period, _| keys[index, period] }
      end

      def describe(path)
        object = path.object
        dominator = object.dominator
        { address: object.address, label: object.label, class: object.class_name, type: object.type,
          memsize: object.memsize, retained_size: object.retained_size, site: object.site,
          referrers: object.referrers.size, alike: path.alike,
          other_referrers: path.other_referrers.first(OTHERS).map { |it| { address: it.address, label: it.label } },
          dominator: dominator && { address: dominator.address, label: dominator.label,
                                    retained_size: dominator.retained_size },
          path: path.steps.map { |step| describe_step(step) } }
      end

      def describe_step(step)
        object = heap.find(step[:address])
        step.merge(label: object.label, retained_size: object.retained_size, site: object.site)
      end
    end
  end
end
