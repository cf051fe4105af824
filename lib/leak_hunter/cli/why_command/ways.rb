# frozen_string_literal: true

module LeakHunter
  class CLI
    class WhyCommand
      # Objects, sorted by how the roots lead to them: those that are held in the same way are told as one.
      class Ways
        # Ways looked at of the objects of one class; the rest is like these.
        SAMPLES = 500

        # One way, its object that retains most, and how many of those looked at are held so.
        Way = Struct.new(:object, :path, :alike)

        attr_reader :heap, :count, :memsize

        # @return [Integer] of how many objects the ways are known
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
          @ways = group(objects)
        end

        # @return [Array<Way>] the commonest first
        def first(limit) = @ways.first(limit)

        # @return [Integer]
        def size = @ways.size

        # @return [Hash] for JSON
        def to_h(limit)
          { count:, memsize:, looked_at:, ways: size, objects: first(limit).map { |way| describe(way) } }
        end

        private

        def group(objects)
          groups = objects.group_by { |object| kind_of_way(path_of(object)) }
          ways = groups.map do |_, alike|
            object = alike.max_by(&:retained_size)
            Way.new(object, path_of(object), alike.size)
          end
          ways.sort_by { |way| [-way.alike, -way.object.retained_size, way.object.address] }
        end

        # The edge of the first object tells the category of roots.
        def path_of(object) = object.path_to_root.drop(1)

        # Without numbers of elements, and however long a list is.
        def kind_of_way(path)
          path.map { |step| [step[:class], *step[:edge].values_at(:kind, :name)] }
              .each { |step| step[2] = nil if step[1] == "array_element" }
              .chunk_while { |one, next_one| one == next_one }.map(&:first)
        end

        def describe(way)
          object = way.object
          dominator = object.dominator
          { address: object.address, label: object.label, class: object.class_name, type: object.type,
            memsize: object.memsize, retained_size: object.retained_size, site: object.site,
            referrers: object.referrers.size, alike: way.alike,
            dominator: dominator && { address: dominator.address, label: dominator.label,
                                      retained_size: dominator.retained_size },
            path: way.path.map { |step| step_of(step) } }
        end

        def step_of(step)
          object = heap.find(step[:address])
          step.merge(label: object.label, retained_size: object.retained_size, site: object.site)
        end
      end
    end
  end
end
