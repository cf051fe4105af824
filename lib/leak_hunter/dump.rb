# frozen_string_literal: true

module LeakHunter
  # A heap dump or snapshot that was taken: where it is and what it is of. Goes wherever a path goes:
  # `File.open(dump)`.
  class Dump
    ATTRIBUTES = %i[path bytes objects generation pid seconds tracing_since tracing_generation snapshot sequence id
                    taken_at warnings].freeze

    # @return [String] absolute path of the file
    attr_reader :path
    alias to_path path
    alias to_s path

    # @return [Integer] size of the file
    attr_reader :bytes

    # @return [Integer] live slots of the heap when the dump was taken, which the VM's own hidden objects are among
    attr_reader :objects

    # @return [Integer] GC.count when the dump was taken
    attr_reader :generation

    # @return [Integer] the process recorded; with `fork: true` that is the parent
    attr_reader :pid

    # How long the process was paused: for garbage collection and the snapshot (with `fork: true`: the fork). Wall clock
    # time, so turns that busy threads took in between are included.
    #
    # @return [Float]
    attr_reader :seconds

    # @return [Time, nil] since when all allocations are traced; nil when they are not, or by another tool only
    attr_reader :tracing_since

    # @return [Integer, nil] GC.count at {tracing_since}
    attr_reader :tracing_generation

    # @return [String] how it was taken: "in_process", "fork", or "walk" of a snapshot
    attr_reader :snapshot

    # @return [Integer] 1 for the first dump of the process, and so on
    attr_reader :sequence

    # @return [String] 32 hex digits, also in the first and last line of the file
    attr_reader :id

    # @return [Time] in UTC
    attr_reader :taken_at

    # @return [Array<String>] sentences on what this dump cannot show; empty when all is well
    attr_reader :warnings

    # @api private
    def initialize(**attributes)
      ATTRIBUTES.each { |name| instance_variable_set(:"@#{name}", attributes.fetch(name)) }
      freeze
    end

    # @return [Hash{Symbol => Object}] every attribute by name
    def to_h = ATTRIBUTES.to_h { |name| [name, public_send(name)] }

    def ==(other) = other.is_a?(Dump) && to_h == other.to_h
    alias eql? ==

    def hash = id.hash

    def inspect
      format("#<%<class>s %<path>s: %<megabytes>.1f MB, %<objects>d objects, generation %<generation>d, " \
             "paused for %<seconds>.2f s%<warnings>s>",
             class: self.class, megabytes: bytes / 1e6, **to_h, path: Printable.call(path),
             warnings: warnings.map { |warning| "; #{Printable.call(warning)}" }.join)
    end
  end
end
