# frozen_string_literal: true

module LeakHunter
  class Checkup
    # The findings as SARIF 2.1.0, which code scanning reads (https://docs.oasis-open.org/sarif/sarif/v2.1.0/).
    class Sarif
      SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
      LEVELS = { "high" => "error", "medium" => "warning", "low" => "note" }.freeze
      # The fingerprints are of one kind; the name changes when they do.
      FINGERPRINT = "leakHunter/v1"

      # @param checkup [Checkup]
      def initialize(checkup)
        @findings = checkup.findings
      end

      # @return [Hash{String => Object}]
      def to_h
        { "$schema" => SCHEMA, "version" => "2.1.0",
          "runs" => [{ "tool" => { "driver" => driver }, "columnKind" => "unicodeCodePoints",
                       "results" => @findings.map { |finding| result(finding) } }] }
      end

      private

      def driver
        { "name" => "LeakHunter", "version" => VERSION, "informationUri" => "https://github.com/leak-hunter/leak_hunter",
          "rules" => rules.map { |id, finding| rule(id, finding) } }
      end

      def rules = @rules ||= @findings.to_h { |finding| [finding[:id], finding] }

      def rule(id, finding)
        { "id" => id, "helpUri" => finding[:links].grep(%r{\Ahttps?://}).first,
          "defaultConfiguration" => { "level" => LEVELS.fetch(finding[:severity]) } }.compact
      end

      def result(finding)
        { "ruleId" => finding[:id], "ruleIndex" => rules.keys.index(finding[:id]),
          "level" => LEVELS.fetch(finding[:severity]), "message" => { "text" => text(finding) },
          "locations" => [location(finding)].compact,
          "partialFingerprints" => { FINGERPRINT => finding[:fingerprint].to_s },
          "properties" => { "step" => finding[:step], "confirmed" => finding[:confirmed] } }
      end

      def text(finding)
        Printable.call(["#{finding[:subject]}: #{finding[:message]}", *finding[:evidence],
                        finding[:fix]].compact.join(" "))
      end

      # Only what is in the project can be shown there.
      def location(finding)
        path = finding[:path]
        return if path.nil? || path.start_with?("/", "..")

        { "physicalLocation" => { "artifactLocation" => { "uri" => uri(path) },
                                  "region" => ({ "startLine" => finding[:line] } if finding[:line]) }.compact }
      end

      # As RFC 3986 writes paths.
      def uri(path)
        path.b.gsub(%r{[^A-Za-z0-9\-._~/]}n) { |byte| format("%%%02X", byte.ord) }.force_encoding(Encoding::UTF_8)
      end
    end
  end
end
