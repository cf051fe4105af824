# frozen_string_literal: true

module LeakHunter
  class CLI
    # The holders of the last report, so that `leak_hunter why '#2'` knows the second one. What is noted is where they
    # are and what the report called them: nothing of what they hold.
    class LastReport
      FILE = "last_report.json"
      SCHEMA = 1
      # The largest so many: a report that shows more is not read by anybody.
      MOST = 10_000
      private_constant :FILE, :SCHEMA, :MOST

      # One holder: its number in the report, from 1.
      Entry = Struct.new(:number, :address, :name, :fingerprint, keyword_init: true)

      class << self
        # After a diff. Nobody asked for it: where it is not possible, {read} says so.
        #
        # @param result [Hash] of a diff
        # @param path [String] of its last dump
        # @return [void]
        def note(result, path, folder: StateFolder.new)
          return unless result[:holders]

          require "json"
          folder.write(FILE, "#{JSON.generate(describe(result, path))}\n")
        rescue StateFolder::Unusable, JSON::GeneratorError, EncodingError
          nil
        end

        # @return [LastReport]
        # @raise [NotFound] there is none, or none that can be read
        def read(folder: StateFolder.new)
          text = folder.read(FILE) or
            raise NotFound, "there is no last report: leak_hunter diff notes its holders in #{folder.path}"
          new(parse(text, folder))
        rescue StateFolder::Unusable => e
          raise NotFound, "there is no last report: #{e.message}"
        end

        private

        # Paths are bytes, which JSON cannot have.
        def describe(result, path)
          dump = result[:dumps].last
          holders = Report::Findings.new(result).all.first(MOST).map { |it| it.slice(:address, :name, :fingerprint) }
          dump = { path: File.expand_path(path).unpack1("H*"), id: dump.dig(:recorded, :id), bytes: dump[:bytes] }
          { schema: SCHEMA, dump:, holders: }
        end

        def parse(text, folder)
          require "json"
          hash = JSON.parse(text, symbolize_names: true, max_nesting: 5)
          return hash if hash.is_a?(Hash) && hash[:schema] == SCHEMA && valid?(hash)

          raise NotFound, "the last report was noted by another version of leak_hunter; run leak_hunter diff again"
        rescue JSON::ParserError, EncodingError
          raise NotFound, "#{folder.path}/#{FILE} is damaged; run leak_hunter diff again"
        end

        def valid?(hash)
          dump, holders = hash.values_at(:dump, :holders)
          dump.is_a?(Hash) && holders.is_a?(Array) && holders.all?(Hash) &&
            [dump[:path], dump[:id], *holders.flat_map { |it| it.values_at(:address, :name, :fingerprint) }]
              .all? { |it| it.nil? || it.is_a?(String) }
        end
      end

      def initialize(noted)
        @dump = noted[:dump]
        @holders = noted[:holders]
      end

      # @return [String, nil] the last dump of the report
      def path = @dump[:path] && [@dump[:path]].pack("H*").force_encoding(Encoding::UTF_8)

      # @param number [Integer] from 1
      # @return [Entry]
      # @raise [NotFound]
      def holder(number)
        entry = @holders[number - 1]&.slice(:address, :name, :fingerprint) if number.positive?
        raise NotFound, "the last report has no holder ##{number}: it has #{how_many}" unless entry

        Entry.new(number:, **entry)
      end

      # @param heap [Heap] of a dump
      # @return [Boolean] whether the report is about this dump
      def of?(heap)
        return heap.recorded&.fetch(:id) == @dump[:id] if @dump[:id]

        # a dump of other origin has no id
        heap.recorded.nil? && File.size?(heap.path) == @dump[:bytes] && File.identical?(heap.path, path)
      end

      private

      def how_many
        case @holders.size
        when 0 then "none"
        when 1 then "one"
        else @holders.size.to_s
        end
      end
    end
  end
end
