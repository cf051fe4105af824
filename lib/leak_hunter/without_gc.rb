# frozen_string_literal: true

module LeakHunter
  # Runs a block while garbage collection is off, and leaves it as it was.
  #
  # Another thread, or a signal handler, may fork meanwhile. Nobody in the child would switch collection on again, so
  # the extension does it there. Without the extension such a child never collects garbage.
  module WithoutGC
    class << self
      # @return what the block returns
      def run
        disabled = GC.disable
        native&.enable_gc_in_children(true) unless disabled
        yield
      ensure
        unless disabled
          GC.enable
          native&.enable_gc_in_children(false)
        end
      end

      # Collects garbage all the same.
      #
      # @param look [Boolean] whether the heap may be looked at
      # @return [Boolean, nil] whether that was enough: no object with a finalizer died; nil where that is not known
      def collect(look: true)
        return native.collect(look) if native.respond_to?(:collect)

        GC.start
        nil
      end

      # Collection stays off in the child, too, that the block forks.
      #
      # @return what the block returns
      def in_own_child
        native&.gc_stays_off_in_own_child(true)
        yield
      ensure
        native&.gc_stays_off_in_own_child(false)
      end

      private

      # Nothing is loaded here, since that would give other threads their turn.
      def native = LeakHunter.autoload?(:Native) ? nil : Native
    end
  end
end
