# frozen_string_literal: true

require "leak_hunter/arguments"
require "leak_hunter/errors"

module LeakHunter
  module Project
    # The file `.leak_hunter.yml` of a project (docs/checkup.md). All of it is optional:
    #
    #   fail_on: medium                 # low, medium, high or never
    #   gems:
    #     ignore:                       # gems that stay, whatever the checkup says
    #       - name: bootsnap
    #         reason: "used by bin/boot only"
    #         until: 2027-06-30         # optional: from then on it counts again
    #   advisories:
    #     ignore:
    #       - name: sqlite3-722         # the id of an entry
    #         reason: "no aggregates here"
    #   lint:
    #     paths: [app, lib]             # default: the whole folder
    #     exclude: ["vendor/**/*"]
    #     rubocop: true                 # whether to run RuboCop, if the project has it
    #     baseline: .leak_hunter_baseline.yml
    #     ignore:
    #       - name: LeakHunter/UnboundedMemo     # a rule, or a finding's fingerprint
    #         reason: "…"
    class Settings
      FILE = ".leak_hunter.yml"
      SEVERITIES = %w[low medium high never].freeze
      # What each section takes, and of which kind.
      SECTIONS = {
        "gems" => { "ignore" => :ignores },
        "advisories" => { "ignore" => :ignores },
        "lint" => { "ignore" => :ignores, "paths" => :texts, "exclude" => :texts, "rubocop" => :boolean,
                    "baseline" => :text }
      }.freeze
      private_constant :SECTIONS

      # @return [String, nil] the file, where there is one
      attr_reader :path

      # @param dir [String] the project's folder
      # @return [Settings] the defaults where there is no file
      def self.load(dir, today: Time.now)
        path = File.join(dir, FILE)
        new(File.exist?(path) ? parse(path) : {}, path: File.exist?(path) ? path : nil, today:)
      end

      # Only plain values: no objects, no aliases.
      def self.parse(path)
        require "yaml"
        require "date"
        YAML.safe_load_file(path, permitted_classes: [Date], filename: path) || {}
      rescue Psych::Exception => e
        raise UsageError, "#{path}: not valid YAML: #{e.message.delete_prefix("(#{path}): ")}"
      rescue SystemCallError => e
        raise UsageError, "#{path}: cannot be read: #{SystemCallError.new(nil, e.errno).message}"
      end
      private_class_method :parse

      # @param values [Hash{String => Object}]
      # @raise [UsageError] with the file and the key
      def initialize(values = {}, path: nil, today: Time.now)
        @path = path
        @today = today
        @values = check("", values, { "fail_on" => :severity, **SECTIONS.transform_values { :section } })
        @sections = SECTIONS.to_h { |name, keys| [name, check("#{name}: ", @values.fetch(name, {}), keys)] }
      end

      # @return [String, nil]
      def fail_on = @values["fail_on"]

      # @param section [String] "gems", "advisories" or "lint"
      # @return [Ignores]
      def ignores(section)
        (@ignores ||= {})[section] ||=
          Ignores.new(@sections.fetch(section).fetch("ignore", []), where: "#{where}#{section}: ignore", today: @today)
      end

      # @return [Array<Ignores::Entry>] entries of all sections that do not count any more
      def expired = SECTIONS.keys.flat_map { |section| ignores(section).expired }

      # @return [Array<String>, nil] relative to the project's folder
      def lint_paths = @sections.dig("lint", "paths")

      # @return [Array<String>] globs, relative to the project's folder
      def lint_exclude = @sections.dig("lint", "exclude") || []

      # @return [Boolean]
      def rubocop? = @sections.fetch("lint").fetch("rubocop", true)

      # @return [String, nil]
      def baseline = @sections.dig("lint", "baseline")

      private

      def where = path ? "#{path}: " : ""

      def check(prefix, values, known)
        wrong("#{prefix}expected keys and values", values) unless values.is_a?(Hash)
        values.each do |key, value|
          kind = known[key] or raise UsageError, "#{where}#{prefix}unknown key #{Arguments.show(key)}." \
                                                 "#{Arguments.hint(key.to_s, known.keys)} " \
                                                 "The keys are: #{known.keys.join(", ")}"
          check_value("#{prefix}#{key}", value, kind) unless value.nil?
        end
        values.compact # a key whose lines are commented out
      end

      def check_value(name, value, kind)
        expected = { severity: SEVERITIES.join(", "), section: "keys and values", ignores: "a list", text: "a text",
                     texts: "a list of texts", boolean: "true or false" }.fetch(kind)
        wrong("#{name}: expected #{expected}", value) unless fits?(value, kind)
      end

      def fits?(value, kind)
        case kind
        when :severity then SEVERITIES.include?(value)
        when :section then value.is_a?(Hash)
        when :ignores then value.is_a?(Array)
        when :text then value.is_a?(String) && !value.empty?
        when :texts then value.is_a?(Array) && value.all?(String)
        when :boolean then [true, false].include?(value)
        end
      end

      def wrong(message, value)
        raise UsageError, "#{where}#{message}, got #{Arguments.show(value)}"
      end
    end
  end
end
