# frozen_string_literal: true

module LeakHunter
  class CLI
    # Where the time of a diff went, for `--timings`.
    class Timings
      NAMES = { "groups" => "grouping what leaked", "heap" => "tables of the last dump's heap",
                "graph" => "paths and dominators", "holders" => "holders" }.freeze

      # @param threads [Integer]
      def initialize(threads)
        @threads = threads
        @rows = []
        @last = now
      end

      # @param result [Hash] of a diff with `timings: true`, just returned
      # @return [void]
      def add_diff(result)
        phases = result[:timings].map { |it| [name_of(it, result[:dumps]), it[:seconds]] }
        # opening and comparing the files; in Ruby, the names of holders
        rest = lap - phases.sum(&:last)
        @rows.concat(phases) << ["checks and names", [rest, 0.0].max]
      end

      # @param name [String] of what was done since the last call
      # @return [void]
      def add(name) = @rows << [name, lap]

      # @return [String]
      def to_s
        whole = @rows.sum(&:last)
        lines = @rows.map { |name, seconds| line(name, seconds, whole) }
        "#{[*lines, line("in all, on #{@threads} #{@threads == 1 ? "thread" : "threads"}", whole, whole)].join("\n")}\n"
      end

      private

      def now = Process.clock_gettime(Process::CLOCK_MONOTONIC)

      def lap
        before = @last
        @last = now
        @last - before
      end

      def name_of(phase, dumps)
        index = phase[:dump] or return NAMES.fetch(phase[:phase], phase[:phase])
        path = dumps.dig(index, :path)
        "reading #{path ? Printable.call(File.basename(path)) : "moment #{index + 1}"}"
      end

      def line(name, seconds, whole)
        format("%<seconds>8.3f s %<share>5.1f %%  %<name>s", seconds:, share: whole.zero? ? 0 : 100 * seconds / whole,
                                                             name:)
      end
    end
  end
end
