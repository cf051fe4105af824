# frozen_string_literal: true

module LeakHunter
  class Advisories
    # Whether a heap, or what a diff of several found, shows a leak of the database.
    #
    # A diff shows it if something that grows fits the signature. One heap cannot show growth: it does if it has at
    # least so many objects as no healthy program has (`many`), and it does not if it has none.
    class HeapEvidence
      # Of a holder that may have grown.
      UNDECIDED = %w[inconclusive too_few].freeze

      private_constant :UNDECIDED

      def initialize(heap: nil, report: nil)
        @heap = heap
        @report = report
      end

      # @param entry [LeakDB::Entry]
      # @return [Array(Boolean, String), Array(nil, nil)] whether it is confirmed, and what was seen
      def of(entry)
        signature = entry.signature or return [nil, native(entry)]
        answers = [in_report(signature), in_heap(signature)].compact
        answers.find(&:first) || answers.first || [nil, nil]
      end

      # @param entry [LeakDB::Entry]
      # @return [Array<String>] fingerprints of the holders that grow, and that fit it
      def holders_of(entry)
        return [] unless @report && entry.signature

        grown = holders(entry.signature) + in_place(entry.signature)
        grown.select { |it| it[:verdict][:name] == "growing" }.filter_map { |it| it[:fingerprint] }
      end

      private

      # What is no Ruby object is seen in the ledger alone, and not whose it is.
      def native(entry)
        return unless entry.kind == "native" && @report&.dig(:ledger, :conclusion) == "not_ruby_objects"

        "the process grew by what is no Ruby object, as with this leak"
      end

      def in_report(signature)
        return unless @report

        grown = growing(signature)
        return [true, grown] if grown
        return if undecided?(signature)

        [false, "nothing that grows fits it"]
      end

      # @return [String, nil] what grows
      def growing(signature)
        holder = holders(signature).find { |it| it[:verdict][:name] == "growing" }
        return "#{label(holder)} grows: #{Report::Format.counted(holder[:count], "object")} more" if holder

        place = in_place(signature).find { |it| it[:verdict][:name] == "growing" }
        place && "#{label(place)} grows: #{place[:growth].compact.last} #{place[:unit]}"
      end

      # A diff without holders, or with too few objects, says nothing.
      def undecided?(signature)
        return true unless @report[:holders] && @report.dig(:verdict, :name) != "undecided"

        (holders(signature) + in_place(signature)).any? { |it| UNDECIDED.include?(it[:verdict][:name]) }
      end

      def holders(signature)
        (@report[:holders] || []).select do |holder|
          named?(signature, holder) && (!(signature.class_name || signature.site) || held?(signature, holder))
        end
      end

      # Grown without objects: its name is all there is.
      def in_place(signature)
        return [] unless signature.holder

        (@report[:grown_in_place] || []).select { |it| named?(signature, it) }
      end

      def named?(signature, holder)
        signature.holder.nil? || [label(holder), *constants(holder)].any? { |name| fits?(signature.holder, name) }
      end

      # What a dump without names calls "Hash" may be known by the class on its path.
      def constants(holder) = [holder[:path].filter_map { |step| step[:class] }.join(" → ")]

      def held?(signature, holder)
        groups = (holder[:groups] || []).map { |it| @report[:groups][it[:index]] }.compact
        groups.any? do |group|
          (signature.class_name.nil? || fits?(signature.class_name, group[:class])) &&
            (signature.site.nil? || fits?(signature.site, group[:file]))
        end
      end

      def fits?(pattern, text) = !text.nil? && File.fnmatch?(pattern, text, File::FNM_EXTGLOB)

      def label(holder) = holder[:name] || holder[:class] || "a #{holder[:kind] || holder[:type]}"

      def in_heap(signature)
        return unless @heap && signature.many && signature.class_name

        count = @heap.instances_of(signature.class_name).count
        found = "#{Report::Format.counted(count, "instance")} of #{signature.class_name} in this heap"
        return [true, found] if count >= signature.many

        [false, found] if count.zero?
      end
    end
  end
end
