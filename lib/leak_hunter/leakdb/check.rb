# frozen_string_literal: true

module LeakHunter
  class LeakDB
    # The rules of docs/leakdb.md for one file.
    class Check
      KINDS = %w[ruby native thread fd bloat].freeze
      # Where it is known from: a published advisory, the gem's own changelog, its tracker, or seen here in a program.
      SOURCES = %w[advisory changelog tracker seen].freeze
      ENGINES = %w[ruby jruby].freeze
      # Name, whether it is needed, and what it has to be. In this order they are written.
      KEYS = {
        "id" => :id, "gem" => :gem, "title" => :line, "leaky" => :requirements, "fixed_in" => :versions,
        "kind" => KINDS, "engine" => ENGINES, "ruby" => :requirement, "mechanism" => :line, "trigger" => :line,
        "signature" => :signature,
        "workaround" => :line, "references" => :addresses, "source" => SOURCES
      }.freeze
      OPTIONAL = %w[fixed_in engine ruby trigger signature workaround].freeze
      SIGNATURE = { "holder" => :line, "class" => :line, "site" => :line, "many" => :number }.freeze
      ID = /\A[a-z0-9][a-z0-9_.-]*\z/
      ADDRESS = %r{\Ahttps?://\S+\z}
      private_constant :ID, :ADDRESS

      # @param entries [Object] of a file, as YAML
      # @return [Array<Hash>] the same
      # @raise [Invalid]
      def self.call(entries, gem:, path:) = new(gem, path).call(entries)

      def initialize(gem, path)
        @gem = gem
        @path = path
      end

      def call(entries)
        refuse("expected a list of entries") unless entries.is_a?(Array) && !entries.empty? && entries.all?(Hash)
        entries.each { |entry| check(entry) }
        ids = entries.map { |entry| entry["id"] }
        refuse("two entries have the same id") if ids.uniq != ids
        sorted = Writer.sort(entries)
        refuse("the entries are not sorted by id: rake leakdb:sort") if sorted != entries
        entries
      end

      private

      def check(entry)
        @id = entry["id"]
        keys(entry, KEYS, KEYS.keys - OPTIONAL)
        gem = entry["gem"]
        refuse("gem: expected #{@gem}, the name of the file, got #{Arguments.show(gem)}") if gem != @gem
        refuse("the id does not start with the name of the gem") unless @id.start_with?(@gem.downcase)
        versions(Entry.new(entry))
        entry
      ensure
        @id = nil
      end

      def keys(values, known, needed)
        (values.keys - known.keys).each { |key| refuse("unknown key #{key}.#{Arguments.hint(key.to_s, known.keys)}") }
        (needed - values.keys).each { |key| refuse("#{key} is missing") }
        ordered = known.keys & values.keys
        refuse("the keys are not in the order of docs/leakdb.md: rake leakdb:sort") if values.keys != ordered
        wrong, value = values.find { |key, it| !valid?(it, known[key]) }
        refuse("#{wrong}: #{Arguments.show(value)} is not valid") if wrong
      end

      def valid?(value, kind)
        case kind
        when Array then kind.include?(value)
        when :id then value.is_a?(String) && value.match?(ID)
        when :gem, :line then value.is_a?(String) && value.match?(/\S/) && !value.include?("\n")
        when :number then value.is_a?(Integer) && value.positive?
        when :versions then list?(value) { |version| Gem::Version.correct?(version) }
        when :requirement then value.is_a?(String) && requirement?(value)
        when :requirements then list?(value) { |text| requirement?(text) }
        when :addresses then list?(value) { |text| text.match?(ADDRESS) }
        when :signature then value.is_a?(Hash) && (keys(value, SIGNATURE, []) || value.keys != %w[many])
        end
      end

      def list?(value, &) = value.is_a?(Array) && !value.empty? && value.all?(String) && value.all?(&)

      def requirement?(text)
        Gem::Requirement.new(*text.split(",").map(&:strip))
        true
      rescue Gem::Requirement::BadRequirementError
        false
      end

      # A version that is said to be fixed and to leak cannot be both. One that has just come out of a range is fixed.
      def versions(entry)
        wrong = entry.fixed_in.find { |version| entry.leaky?(version) }
        refuse("#{wrong} is in fixed_in, and leaky says that it leaks") if wrong
        ends = entry.leaky.flat_map { |text| text.scan(/(?<![<>=!~])<\s*([\w.]+)/).flatten }
        ends = ends.map { |text| Gem::Version.new(text) }
        missing = ends.reject { |version| entry.leaky?(version) } - entry.fixed_in
        refuse("leaky ends at #{missing.first}, which is not in fixed_in") if missing.any?
      end

      def refuse(reason)
        raise Invalid, "#{Printable.call(@path)}#{", #{@id}" if @id}: #{reason}"
      end
    end
  end
end
