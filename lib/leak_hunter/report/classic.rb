# frozen_string_literal: true

module LeakHunter
  class Report
    # The lines of the classic three-dump script: type, file and line, most objects first.
    class Classic
      KEYS = %i[type file line].freeze
      SIZES = %i[count bytesize memsize].freeze

      def initialize(result, sort: :count)
        unless KEYS.all? { |key| result[:group_by].include?(key.name) }
          raise UsageError, "the classic format needs a diff grouped by #{KEYS.join(", ")}; " \
                            "this one is grouped by #{result[:group_by].join(", ")}"
        end
        @result = result
        @sort = Arguments.one_of(:sort, sort, SIZES.map(&:name)).to_sym
      end

      def to_s
        bytesize, memsize = @result[:totals].values_at(:bytesize, :memsize)
        [*lines, "", "Total Size: #{bytesize}/#{memsize}", ""].join("\n")
      end

      private

      def lines
        sorted = merged.sort_by { |key, sizes| [-sizes[@sort], -sizes[:memsize], key.map(&:to_s)] }
        sorted.map do |(type, *place), sizes|
          count, bytesize, memsize = sizes.values_at(*SIZES)
          "Retained #{count} #{type} objects of size #{bytesize}/#{memsize} at: #{Printable.call(place.join(":"))}"
        end
      end

      def merged
        @result[:groups].group_by { |group| group.values_at(*KEYS) }.transform_values do |groups|
          SIZES.to_h { |size| [size, groups.sum { |group| group[size] }] }
        end
      end
    end
  end
end
