# frozen_string_literal: true

require "leak_hunter/recorder/own_thread"
require "leak_hunter/recorder/snapshot"

module LeakHunter
  module Recorder
    # The heap as the extension reads it: addresses, classes, sizes and references are copied in the moment, in a
    # fraction of the time that `ObjectSpace.dump_all` takes, and written as it writes them when the process goes on. No
    # contents are read, so none are in the file.
    class WalkedSnapshot < Snapshot
      INSTEAD = "; LeakHunter.dump! needs no walk, but a longer pause (and without the extension " \
                "values: :all, compress: :none, which makes the file a secret)"
      # What Ruby 3.2 and newer call the variables of objects: a dump has it, and paths have names by it.
      SHAPES = RUBY_VERSION.to_f >= 3.2
      private_constant :INSTEAD, :SHAPES

      class << self
        # @return [Boolean] whether the heap can be walked now
        def possible?
          check
          true
        rescue Unsupported
          false
        end

        # @raise [Unsupported]
        def check
          Native.check_walk
        rescue NoMethodError
          raise Unsupported, "the heap cannot be walked on this platform#{INSTEAD}"
        rescue Unsupported => e
          raise e.class, "#{e.message}#{INSTEAD}"
        end
      end

      # Allocates the memory for what will be found.
      #
      # @param format [Format] how the file is compressed, and by how many threads
      def initialize(io, envelope, format:, names: nil)
        super(io, envelope, full: false, format:, names:)
        @shapes = ""
        @unmeasured = []
        @walk = Native::Walk.prepare(objspace: Heap.objspace, traced: Tracing.on?, ask_for_sites: false, jit: Heap.jit?)
      end

      def take
        super
        @shapes = ObjectSpace.dump_shapes(output: :string) if @names && SHAPES
      end

      def warnings = @unmeasured.empty? ? [] : [Unmeasured.words(@unmeasured)]

      def finish
        @unmeasured = @walk.unmeasured
        names, last_line = ending
        OwnThread.interruptible do
          @walk.write(@io.fileno, [@envelope.first_line, @shapes, names + last_line], @format.compress.to_s,
                      @format.threads)
        end
        discard
      end

      def discard
        super
        @walk.discard
        @shapes.clear unless @shapes.frozen?
        @shapes = ""
      end

      private

      def dump = @walk.take

      def facts = @unmeasured.empty? ? super : super.merge(unmeasured: @unmeasured)
    end
  end
end
