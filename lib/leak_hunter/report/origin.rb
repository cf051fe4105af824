# frozen_string_literal: true

module LeakHunter
  class Report
    # Through which contexts and callers leaked objects were allocated, in words.
    class Origin
      include Format

      # As many callers as are told of.
      CALLERS = 3
      # As many methods of a caller: the outermost, and those nearest to the allocation.
      METHODS = 4

      # @param result [Hash] of a diff
      # @param holder [Hash] one of its holders
      # @return [Origin] of the objects that it holds
      def self.of_holder(holder, result)
        groups = holder[:groups].to_a.filter_map { |share| result[:groups][share[:index]] }
        new(holder, groups.find { |group| group[:callers].to_a.any? })
      end

      # @param counted [Hash] a group or a holder
      # @param group [Hash, nil] the group whose callers are told of
      def initialize(counted, group = counted)
        @counted = counted
        @group = group
      end

      # @return [String, nil] "POST /orders 480, GET /carts 12, none 3"
      def contexts
        contexts = @counted[:contexts].to_a
        return if contexts.empty?

        named = contexts.map { |it| "#{it[:context] || "no context"} #{count(it[:count])}" }
        left = @counted[:context_count] - contexts.count { |it| it[:context] }
        named << counted(left, "more context") if left.positive?
        printable(named.join(", "))
      end

      # @return [String, nil] "all 480 that stayed came through OrdersController#create → AuditTrail.record; of 20,000
      #   made elsewhere none stayed"
      def callers
        stayed = @group && @group[:callers].to_a.select { |it| it[:stayed].positive? }
        return if stayed.nil? || stayed.empty?

        printable("#{stayed.one? && totals[:stayed] == stayed.first[:stayed] ? one(stayed.first) : several(stayed)}.")
      end

      private

      def totals = @group[:caller_totals]

      def one(caller)
        stayed = caller[:stayed]
        "#{all(stayed)} came through #{through(caller)}#{of_same(caller)}#{elsewhere(caller[:died])}"
      end

      # Not of all objects of the group the stack is known.
      def all(stayed)
        return "#{count(stayed)} of #{count(@group[:count])} that stayed" if stayed < @group[:count]

        stayed == 1 ? "the one that stayed" : "all #{count(stayed)} that stayed"
      end

      def of_same(caller) = caller[:died].positive? ? " (where #{counted(caller[:died], "other")} died)" : ""

      def elsewhere(died_here)
        died = totals[:died] - died_here
        died.positive? ? "; of #{count(died)} made elsewhere none stayed" : ""
      end

      def several(stayed)
        named = stayed.first(CALLERS).map { |it| "#{count(it[:stayed])} through #{through(it)}#{of_same(it)}" }
        left = totals[:stayed] - stayed.first(CALLERS).sum { |it| it[:stayed] }
        named << "#{count(left)} through others" if left.positive?
        died = totals[:died] - @group[:callers].select { |it| it[:stayed].positive? }.sum { |it| it[:died] }
        "of #{count(@group[:count])} that stayed, #{named.join("; ")}" \
          "#{"; of #{count(died)} made elsewhere none stayed" if died.positive? && left.zero?}"
      end

      def through(caller)
        methods = caller[:through]
        return caller[:frames].first.to_s if methods.empty?

        methods = [methods.first, "…", *methods.last(METHODS - 1)] if methods.size > METHODS
        methods.join(" → ")
      end
    end
  end
end
