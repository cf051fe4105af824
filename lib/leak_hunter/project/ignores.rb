# frozen_string_literal: true

module LeakHunter
  module Project
    # Findings that a project accepts, each with the reason, and for how long.
    class Ignores
      Entry = Struct.new(:name, :reason, :until) do
        # @return [Hash{Symbol => Object}]
        def to_h = { name:, reason:, until: self.until&.iso8601 }.compact
      end

      KEYS = %w[name reason until].freeze

      # @param entries [Array<Hash>] as in `.leak_hunter.yml`
      # @param where [String] for messages: the file and the key
      # @raise [UsageError]
      def initialize(entries, where: "ignore", today: Time.now)
        require "date"
        @where = where
        @today = Date.new(today.year, today.month, today.day)
        @entries = entries.map.with_index(1) { |entry, number| read(entry, "#{where}, entry #{number}") }
        @used = {}
      end

      # @param names [Array<String>] what a finding may be ignored by
      # @return [Entry, nil] what says so, unless it has expired
      def find(*names)
        entry = @entries.find { |it| names.include?(it.name) } or return
        @used[entry] = true
        entry unless expired?(entry)
      end

      # @return [Array<Entry>] those that do not count any more
      def expired = @entries.select { |entry| expired?(entry) }

      # @return [Array<Entry>] those that nothing was found for: to be removed
      def unused = @entries.reject { |entry| @used[entry] }

      private

      # The day itself is the last.
      def expired?(entry) = !entry.until.nil? && entry.until < @today

      def read(entry, where)
        unless entry.is_a?(Hash)
          raise UsageError,
                "#{where}: expected name, reason and until, got #{Arguments.show(entry)}"
        end

        unknown = entry.keys - KEYS
        raise UsageError, "#{where}: unknown key #{Arguments.show(unknown.first)}. The keys are: #{KEYS.join(", ")}" if
          unknown.any?

        Entry.new(text(entry, "name", where), text(entry, "reason", where), date(entry["until"], where))
      end

      def text(entry, key, where)
        value = entry[key]
        return value if value.is_a?(String) && !value.strip.empty?

        raise UsageError, "#{where}: #{key}: expected a text, got #{Arguments.show(value)}"
      end

      def date(value, where)
        case value
        when nil then nil
        when Date then value
        when /\A\d{4}-\d\d-\d\d\z/ then Date.iso8601(value)
        else raise UsageError, "#{where}: until: expected a day such as 2027-06-30, got #{Arguments.show(value)}"
        end
      rescue Date::Error
        raise UsageError, "#{where}: until: no such day: #{Arguments.show(value)}"
      end
    end
  end
end
