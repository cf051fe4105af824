# frozen_string_literal: true

module LeakHunter
  class Checkup
    # One of the five steps, done or not.
    #
    # - `name` is "unused_gems", "known_leaks", "lint", "patterns" or "measure"
    # - `status` is "done", "partly" or "not_done"
    # - `summary` is a sentence
    # - `findings` are {Finding}s, the most severe first
    # - `notes` are sentences: what was not done, and how it can be
    # - `ignored` is how many findings `.leak_hunter.yml` leaves out
    # - `inconclusive` is whether something that was given could not be read, or does not tell
    Step = Struct.new(:number, :name, :title, :status, :summary, :findings, :notes, :ignored, :inconclusive,
                      keyword_init: true) do
      # @return [Step] one that could not be done, for the reasons in its notes
      def self.not_done(**values) = new(status: "not_done", summary: "Not done.", **values)

      def initialize(findings: [], notes: [], ignored: 0, inconclusive: false, **values)
        super(findings: Finding.sort(findings), notes:, ignored:, inconclusive:, **values)
      end

      # @return [Boolean]
      def done? = status != "not_done"
    end
  end
end
