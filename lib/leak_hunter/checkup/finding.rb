# frozen_string_literal: true

module LeakHunter
  class Checkup
    # What a step found, in one form for all steps: a Hash with
    #
    # - `:step`, 1 to 5, and `:id`: "unused_gem", an entry of the leakdb, a rule, a cop, or "growing"
    # - `:subject`, what it is about: "redis 4.8.0", "Prices.@quotes"
    # - `:severity`, "high", "medium" or "low"
    # - `:confirmed`, whether a heap shows it; nil where there was none to ask
    # - `:message`, a sentence; `:evidence` and `:fix`, more of them; `:links`
    # - `:path` and `:line`, where there is a place; relative to the project's folder
    # - `:holders`, fingerprints of the holders that grow because of it
    # - `:fingerprint`, the same in the next run
    module Finding
      KEYS = %i[step id subject severity confirmed message evidence fix path line holders links fingerprint].freeze
      # The most severe first.
      SEVERITIES = %w[high medium low].freeze

      class << self
        # @return [Hash{Symbol => Object}]
        def make(step:, id:, subject:, severity:, message:, fingerprint: nil, **rest)
          Arguments.refuse_unknown(rest, KEYS)
          { step:, id:, subject:, severity:, confirmed: nil, message:, evidence: [], fix: nil, path: nil, line: nil,
            holders: [], links: [], **rest, fingerprint: fingerprint || digest(id, subject, rest[:path]) }
        end

        # @param findings [Array<Hash>]
        # @return [Array<Hash>] the most severe first; among those what the heap shows, then in the order of the step
        def sort(findings)
          findings.each_with_index.sort_by do |finding, index|
            [SEVERITIES.index(finding[:severity]), finding[:confirmed] ? 0 : 1, index]
          end.map(&:first)
        end

        private

        def digest(*parts)
          require "digest"
          Digest::SHA256.hexdigest(parts.join("\0"))[0, 16]
        end
      end
    end
  end
end
