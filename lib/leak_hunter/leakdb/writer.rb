# frozen_string_literal: true

require "leak_hunter/arguments"

module LeakHunter
  class LeakDB
    # Writes entries into the file of their gem: sorted, with their keys in one order, and only if they are valid.
    class Writer
      HEAD = "# Leaks of %s. The format: docs/leakdb.md. Written by rake leakdb:add.\n"
      # Longer lines are folded.
      WIDTH = 110
      private_constant :HEAD, :WIDTH

      # By id, numbers in it by value.
      #
      # @return [Array<Hash>]
      def self.sort(entries)
        entries.sort_by { |entry| entry["id"].to_s.scan(/\d+|\D+/).map { |part| [part[/\A\d+/].to_i, part] } }
      end

      def initialize(db)
        @db = db
      end

      # @param values [Hash{String => Object}]
      # @return [String] the path of the file
      # @raise [Invalid]
      def add(values)
        gem = values["gem"].to_s
        raise Invalid, "gem: #{Arguments.show(values["gem"])} is no name of a gem" unless gem.match?(/\A[\w.-]+\z/)

        path = @db.path(gem)
        known = File.exist?(path) ? LeakDB.parse(path) : []
        write(gem, [*known, values])
      end

      # Brings the order of all files into the one that is checked.
      def sort_all = @db.gems.each { |gem| write(gem, LeakDB.parse(@db.path(gem))) }

      private

      def write(gem, entries)
        require "yaml"
        ordered = self.class.sort(entries).map { |entry| order(entry) }
        Check.call(ordered, gem:, path: @db.path(gem))
        head = format(HEAD, gem == "ruby" ? "Ruby itself" : gem)
        File.write(@db.path(gem), "#{head}#{YAML.dump(ordered, line_width: WIDTH)}")
        @db.path(gem)
      end

      def order(entry)
        signature = entry["signature"]
        entry = { **entry, "signature" => in_order(signature, Check::SIGNATURE) } if signature.is_a?(Hash)
        in_order(entry, Check::KEYS)
      end

      def in_order(values, known) = values.sort_by { |key, _| known.keys.index(key) || known.size }.to_h
    end
  end
end
