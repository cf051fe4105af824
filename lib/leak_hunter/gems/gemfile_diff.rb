# frozen_string_literal: true

module LeakHunter
  module Gems
    # A patch of the Gemfile that takes out the gems that are probably unused with high confidence: those that stand in
    # one line of their own. Nothing is written; `git apply` or `patch -p1` takes it.
    module GemfileDiff
      NAMES = %w[Gemfile gems.rb].freeze
      CONTEXT = 3
      LONGEST = 1_000
      # All of a statement stands in its line: no hash, list or block goes on in the next.
      LINE = /\A\s*gem\s*\(?\s*["']([\w.-]+)["'][^#\n]*?(?<![,\\({\[|])\s*(?:#.*)?\z/
      private_constant :NAMES, :CONTEXT, :LONGEST, :LINE

      class << self
        # @param rows [Array<Hash>] of {LeakHunter.gems}
        # @param dir [String]
        # @return [String] empty where nothing is to be taken out
        # @raise [UsageError] without a Gemfile
        def call(rows, dir)
          path = NAMES.map { |name| File.join(dir, name) }.find { |it| File.file?(it) } or
            raise UsageError, "there is no Gemfile in #{Printable.call(dir)}"
          names = rows.select { |row| row[:confidence] == "high" && !row[:ignored] }.map { |row| row[:name] }
          diff(File.read(path, encoding: Encoding::UTF_8).scrub, File.basename(path), names)
        end

        private

        def diff(text, name, names)
          lines = text.lines
          removed = lines.each_index.select do |index|
            lines[index].bytesize < LONGEST && names.include?(lines[index].chomp[LINE, 1])
          end
          return "" if removed.empty?

          taken = 0
          hunks = hunks(removed, lines.size).map do |from, to|
            gone = removed.count { |index| index.between?(from, to) }
            head = "@@ -#{from + 1},#{to - from + 1} +#{from + 1 - taken},#{to - from + 1 - gone} @@\n"
            taken += gone
            head + (from..to).map { |index| shown(lines[index], removed.include?(index)) }.join
          end
          "--- a/#{name}\n+++ b/#{name}\n#{hunks.join}"
        end

        # @return [Array(Integer, Integer)] first and last line of each
        def hunks(removed, size)
          removed.each_with_object([]) do |index, hunks|
            from = [index - CONTEXT, 0].max
            to = [index + CONTEXT, size - 1].min
            hunks.any? && from <= hunks.last[1] + 1 ? hunks.last[1] = to : hunks << [from, to]
          end
        end

        def shown(line, removed)
          line = "#{line}\n\\ No newline at end of file\n" unless line.end_with?("\n")
          "#{removed ? "-" : " "}#{line}"
        end
      end
    end
  end
end
