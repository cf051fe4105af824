# frozen_string_literal: true

require "leak_hunter/errors"

module LeakHunter
  # Which versions of which gems leak: the files of leakdb/, one a gem (docs/leakdb.md).
  class LeakDB
    autoload :Check, "leak_hunter/leakdb/check"
    autoload :DefaultGems, "leak_hunter/leakdb/default_gems"
    autoload :Entry, "leak_hunter/leakdb/entry"
    autoload :Writer, "leak_hunter/leakdb/writer"

    DIR = File.expand_path("../../leakdb", __dir__)

    # A file of the database is wrong.
    class Invalid < StandardError
      include Error
    end

    class << self
      # @return [LeakDB] the one of this gem
      def default = @default ||= new

      # Only plain values: no objects, no aliases.
      #
      # @return [Array<Hash{String => Object}>]
      # @raise [Invalid]
      def parse(path)
        require "yaml"
        YAML.safe_load_file(path, filename: path)
      rescue Psych::Exception => e
        raise Invalid, "#{Printable.call(path)}: not valid YAML: #{e.message}"
      end
    end

    # @return [String]
    attr_reader :dir

    def initialize(dir = DIR)
      @dir = dir
      @entries = {}
    end

    # @return [Array<String>] names of the gems, sorted; "ruby" is Ruby itself
    def gems = @gems ||= Dir.children(dir).filter_map { |name| name.delete_suffix!(".yml") }.sort

    # @param gem [String]
    # @return [Array<Entry>]
    # @raise [Invalid]
    def entries(gem)
      # leak_hunter:disable LeakHunter/UnboundedMemo -- gems of the database and of lock files
      @entries[gem] ||= known?(gem) ? read(gem) : []
      # leak_hunter:enable LeakHunter/UnboundedMemo
    end

    # @return [Array<Entry>] all, by gem and id
    def all = gems.flat_map { |gem| entries(gem) }

    # @return [Entry, nil]
    def [](id) = all.find { |entry| entry.id == id }

    # @return [String] of a gem's file
    def path(gem) = File.join(dir, "#{gem}.yml")

    private

    # The names of a lock file are not file names.
    def known?(gem)
      @known ||= gems.to_h { |name| [name, true] }
      @known[gem]
    end

    def read(gem)
      Check.call(self.class.parse(path(gem)), gem:, path: path(gem)).map { |values| Entry.new(values) }
    end
  end
end
