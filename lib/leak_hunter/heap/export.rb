# frozen_string_literal: true

require "fileutils"

module LeakHunter
  class Heap
    # Writes a heap in a format of other programs. See {Heap#export}.
    module Export
      SIZES = %i[title depth frames only].freeze

      # The formats and the options each takes.
      FORMATS = {
        folded: %i[view depth frames only],
        speedscope: SIZES,
        flame: SIZES,
        dot: %i[object relation limit],
        heapsnapshot: []
      }.freeze

      VIEWS = %w[retained paths sites].freeze
      RELATIONS = %w[any references referrers dominators].freeze
      NUMBERS = { depth: 1..1_000, frames: 1..1_000_000, limit: 1..1_000 }.freeze
      private_constant :SIZES, :NUMBERS

      class << self
        # @api private
        def call(heap, format, destination, **options)
          format, options = check(heap, format, options)
          if destination.is_a?(IO) || (destination.respond_to?(:write) && !destination.respond_to?(:to_path))
            to_io(destination) { |path| heap.native.export(format, path, options) }
          else
            to_file(path_of(destination)) { |path| heap.native.export(format, path, options) }
          end
        end

        private

        def check(heap, format, options)
          name = format.respond_to?(:to_sym) ? format.to_sym : format
          known = FORMATS[name] or
            raise UsageError, "format: #{format.inspect} is not one of #{FORMATS.keys.join(", ")}"
          unless (unknown = options.keys - known).empty?
            raise UsageError, "#{unknown.first}: is no option of the format #{name}"
          end

          [name.to_s, values(heap, name, options.compact)]
        end

        def values(heap, format, options)
          raise UsageError, "object: the format dot shows the neighbours of one" if format == :dot && !options[:object]

          options.to_h { |name, value| [name, value(heap, name, value)] }
        end

        def value(heap, name, value)
          case name
          when :view then one_of(name, value, VIEWS)
          when :relation then one_of(name, value, RELATIONS)
          when :object then object(heap, value).number
          when :only then addresses(value)
          when :title then String(value).encode(Encoding::UTF_8, invalid: :replace, undef: :replace)
          else number(name, value)
          end
        end

        def one_of(name, value, known)
          return value.to_s if known.include?(value.to_s)

          raise UsageError, "#{name}: #{value.inspect} is not one of #{known.join(", ")}"
        end

        def number(name, value)
          range = NUMBERS.fetch(name)
          return value if value.is_a?(Integer) && range.cover?(value)

          raise UsageError, "#{name}: expected #{range.begin} to #{range.end}, got #{value.inspect}"
        end

        def object(heap, value)
          return value if value.is_a?(HeapObject) && value.heap.equal?(heap)
          raise UsageError, "object: is of another heap" if value.is_a?(HeapObject)

          heap.find(value) or raise UsageError, "object: there is none at #{value} in this heap"
        end

        def addresses(objects)
          unless objects.respond_to?(:map)
            raise UsageError, "only: expected objects or addresses, got #{objects.inspect[0, 80]}"
          end

          objects.map { |object| object.is_a?(HeapObject) ? object.address.hex : address(object) }
        end

        def address(address)
          number = address.is_a?(String) && address.match?(/\A0x\h{1,16}\z/) ? address.hex : address
          return number if number.is_a?(Integer) && (0...(2**64)).cover?(number)

          raise UsageError, "only: expected objects or addresses, got #{address.inspect[0, 80]}"
        end

        def path_of(destination)
          path = File.path(destination)
          raise UsageError, "the path is empty" if path.empty?

          path
        rescue UsageError
          raise
        rescue TypeError, ArgumentError
          raise UsageError, "expected a path or an IO, got #{destination.inspect[0, 80]}"
        end

        # Whole or not at all. What is no file, such as a pipe or a terminal, is written to as it is.
        def to_file(path)
          return yield(path) if File.exist?(path) && !File.file?(path)

          temporary = "#{path}.#{Process.pid}.#{Thread.current.object_id}"
          begin
            yield temporary
            File.rename(temporary, path)
          ensure
            FileUtils.rm_f(temporary)
          end
        rescue SystemCallError => e
          raise WriteError, "cannot write #{Printable.call(path)}: #{e.message}"
        end

        # Rust writes without the GVL, and cannot call an IO meanwhile.
        def to_io(destination)
          require "tempfile"
          Tempfile.create("leak_hunter") do |file|
            yield file.path
            file.rewind
            IO.copy_stream(file, destination)
          end
        end
      end
    end
  end
end
