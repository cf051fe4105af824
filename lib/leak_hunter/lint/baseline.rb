# frozen_string_literal: true

require "leak_hunter/output_file"

module LeakHunter
  class Lint
    # Findings that were there when a project began to use the rules: they count no more, new ones do. A YAML file, one
    # entry for each, that `leak_hunter lint --update-baseline` writes.
    class Baseline
      FILE = ".leak_hunter_baseline.yml"
      HEADER = "# Findings that are left out; written by: leak_hunter lint --update-baseline\n"

      class << self
        # @param dir [String]
        # @param name [String, nil] relative to it; nil is {FILE}
        # @return [Baseline] an empty one where there is no such file, unless the settings name one
        def load(dir, name)
          path = File.expand_path(name || FILE, dir)
          return new(path, []) unless name || File.exist?(path)

          new(path, parse(path))
        end

        private

        def parse(path)
          require "yaml"
          entries = YAML.safe_load_file(path, filename: path) || []
          raise UsageError, "#{path}: expected a list of findings" unless entries?(entries)

          entries.map { |entry| entry["fingerprint"] }
        rescue Psych::Exception => e
          raise UsageError, "#{path}: not valid YAML: #{e.message}"
        rescue SystemCallError => e
          raise UsageError, "#{path}: cannot be read: #{SystemCallError.new(nil, e.errno).message}"
        end

        def entries?(entries)
          entries.is_a?(Array) && entries.all? { |entry| entry.is_a?(Hash) && entry["fingerprint"].is_a?(String) }
        end
      end

      # @return [String]
      attr_reader :path

      def initialize(path, fingerprints)
        @path = path
        @fingerprints = fingerprints.to_h { |fingerprint| [fingerprint, false] }
      end

      # @param finding [Hash]
      # @return [Boolean]
      def include?(finding)
        fingerprint = finding[:fingerprint]
        @fingerprints.key?(fingerprint) && (@fingerprints[fingerprint] = true)
      end

      # @return [Array<String>] fingerprints that nothing was found for
      def stale = @fingerprints.reject { |_, found| found }.keys

      # @param findings [Array<Hash>]
      # @return [void]
      def write(findings)
        entries = findings.sort_by { |it| [it[:path], it[:rule], it[:fingerprint]] }
                          .map { |it| { "fingerprint" => it[:fingerprint], "rule" => it[:rule], "path" => it[:path] } }
        require "yaml"
        OutputFile.write(@path, overwrite: true) { |io| io.write(HEADER, entries.uniq.to_yaml) }
      end
    end
  end
end
