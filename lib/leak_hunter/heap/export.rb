# frozen_string_literal: true

require "leak_hunter/arguments"
require "leak_hunter/output_file"

module LeakHunter
  class Heap
    # Writes a heap in a format of other programs. See {Heap#export}.
    module Export
      NUMBERS = { depth: 1..1_000, frames: 1..1_000_000, limit: 1..1_000 }.freeze
      private_constant :NUMBERS

      class << self
        # By name, what the core says of each format: the names of its `:options`; whether it `:needs_object`, which it
        # shows with its neighbours; whether it is `:readable` for people.
        #
        # @api private
        # @return [Hash{String => Hash}]
        def formats = Native.export_formats

        # @api private
        def call(heap, format, destination, **options)
          format, options = check(heap, format, options)
          write = ->(io) { heap.native.export(format, io.fileno, options) }
          if stream?(destination) then to_stream(destination, &write)
          else
            to_file(Arguments.path("destination", destination, expected: "a path or an IO"), &write)
          end
        end

        private

        def stream?(destination)
          return true if IO === destination

          Arguments.responds?(destination, :write) && !Arguments.responds?(destination, :to_path)
        end

        def check(heap, format, options)
          known = formats
          format = Arguments.one_of(:format, format, known.keys)
          Arguments.refuse_unknown(options, known[format][:options])
          options = options.compact
          if known[format][:needs_object] && !options[:object]
            raise UsageError, "object: the format #{format} shows the neighbours of one"
          end

          [format, options.to_h { |name, value| [name, value(heap, name, value)] }]
        end

        def value(heap, name, value)
          case name
          when :view then Arguments.one_of(name, value, Native.export_views)
          when :relation then Arguments.one_of(name, value, Native.export_relations)
          when :object then object(heap, value).number
          when :only then addresses(value)
          when :title then String(value).encode(Encoding::UTF_8, invalid: :replace, undef: :replace)
          else Arguments.integer(name, value, NUMBERS.fetch(name))
          end
        end

        def object(heap, value)
          return value if value.is_a?(HeapObject) && value.heap.equal?(heap)
          raise UsageError, "object: is of another heap" if value.is_a?(HeapObject)

          heap.find(value) or raise UsageError, "object: there is none at #{value} in this heap"
        end

        def addresses(objects)
          unless Arguments.responds?(objects, :map)
            raise UsageError, "only: expected objects or addresses, got #{Arguments.show(objects)}"
          end

          objects.map { |object| object.is_a?(HeapObject) ? object.address.hex : Arguments.address(:only, object) }
        end

        def to_file(path, &)
          OutputFile.write(path, overwrite: true, &)
        rescue SystemCallError => e
          raise WriteError.new(path, e)
        end

        # Rust writes without the GVL, and cannot call Ruby meanwhile.
        def to_stream(destination)
          folder = temporary_folder
          OutputFile.scratch(folder) do |io|
            yield io
            io.rewind
            folder = nil # from here on it is the destination that fails
            IO.copy_stream(io, destination)
          end
        rescue SystemCallError => e
          raise unless folder

          raise WriteError, "cannot write a temporary file in #{Printable.call(folder)}: #{e.message}; " \
                            "set TMPDIR to another folder"
        end

        def temporary_folder
          require "tmpdir"
          Dir.tmpdir
        rescue ArgumentError => e
          raise WriteError, "there is no folder for temporary files: #{e.message}; set TMPDIR to one"
        end
      end
    end
  end
end
