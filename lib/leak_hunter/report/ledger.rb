# frozen_string_literal: true

module LeakHunter
  class Report
    # How much of what the process grew by is Ruby objects, in a sentence or two.
    class Ledger
      include Format

      NATIVE = "See docs/native.md."
      private_constant :NATIVE

      # @param result [Hash{Symbol => Object}] of a diff
      def initialize(result)
        @leak = result.dig(:verdict, :name) == "leak"
        @ledger = result[:ledger] || {}
        @growth = @ledger[:growth] || {}
      end

      # @return [String, nil] nil where nothing is known
      def to_s
        case @ledger[:conclusion]
        when "flat" then flat
        when "objects_explain" then objects
        when "leak_hunter_explains" then leak_hunter
        when "free_slots_explain" then free_slots
        when "not_ruby_objects" then not_ruby_objects
        when "partly" then partly
        end
      end

      private

      def flat
        grown = @growth[:process]
        return "The process did not grow." unless grown.positive?

        "The process grew by #{bytes(grown)}, no more than dumps take."
      end

      def objects
        return "#{process}#{objects_by}." if @growth[:objects]

        "#{process}. Objects that were allocated in the meantime and stayed are #{bytes(@ledger[:new_objects])} of it."
      end

      def leak_hunter
        "#{process}, more than half of it for allocation tracing and heaps in memory, which are LeakHunter's " \
          "own. This says little of the application: start tracing earlier, and let go of heaps."
      end

      def free_slots
        "#{process}, of which #{bytes(@growth[:free_slots])} are pages of Ruby's heap whose objects are gone: " \
          "#{not_objects} #{NATIVE}"
      end

      def not_ruby_objects
        "#{process}#{objects_by}: #{not_objects} #{NATIVE}"
      end

      # What leaks may be little of it.
      def not_objects
        @leak ? "most of it is no leak of Ruby objects." : "this is not a leak of Ruby objects."
      end

      def partly
        own = @growth.values_at(:tracing, :own).compact.sum
        parts = [objects_by]
        parts << ", LeakHunter's tracing and heaps by #{bytes(own)}" if own.positive?
        rest = @growth[:unexplained]
        parts << "; #{bytes(rest)} are neither. #{NATIVE}" if rest&.positive?
        "#{process}#{parts.join.chomp(".")}."
      end

      def process = "The process grew by #{bytes(@growth[:process])}"

      def objects_by
        grown = @growth[:objects]
        return ", Ruby objects by #{bytes(grown)}" if grown.positive?

        grown.zero? ? ", Ruby objects not at all" : ", while Ruby objects became #{bytes(-grown)} less"
      end
    end
  end
end
