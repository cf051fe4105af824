# frozen_string_literal: true

module LeakHunter
  class Lint
    # On which lines what grows was allocated.
    class Sites
      # @param result [Hash] of a diff with holders
      def initialize(result)
        @holders = Hash.new { |hash, site| hash[site] = [] }
        Report::Findings.new(result).growing.each do |holder|
          holder[:groups].to_a.each do |share|
            group = result[:groups][share[:index]] or next
            @holders[group.values_at(:file, :line)] << holder[:fingerprint]
          end
        end
      end

      # @param places [Array<Array(String, Integer)>] paths, relative to the project's folder, and lines. The dumps may
      #   be of another machine, where the folder has another name
      # @return [Array<String>] fingerprints of the holders of what was allocated there
      def growing(*places)
        found = @holders.select do |(file, line), _|
          file && places.any? { |path, at| line == at && file.end_with?("/#{path}") }
        end
        found.values.flatten.compact.uniq
      end
    end
  end
end
