# frozen_string_literal: true

module LeakHunter
  class Advisories
    # Finds the leak fixes in a changelog, each with the version that it came with. Changelogs have no common form:
    #
    #   ## 1.2.3         ## [1.2.3] - 2024-01-01     === 1.2.3 / 2024-01-01     ### 2024-04-04 (2.7.2)
    #   - 01-02-2024     1.2.3                       v1.2.3 (2024-01-01)        # Version 1.2.3
    #     - 1.2.3        -----                       *Release 1.2.3*            2024-01-01  1.2.3
    class Changelog
      # A line that is read as of a memory leak.
      Fix = Struct.new(:version, :text, :line)

      FILES = "{CHANGELOG,CHANGES,ChangeLog,Changelog,changelog,changes,HISTORY,History,history,NEWS,News," \
              "RELEASE_NOTES}{,.md,.markdown,.rdoc,.txt,.rst,.gz,.md.gz}"
      LIMIT = 4 * 1024 * 1024
      # Longer lines are prose.
      LINE = 400

      NUMBER = /(?<![\w.#-])v?(\d+\.\d+(?:\.[0-9A-Za-z]+)*(?:[.-](?:pre|rc|beta|alpha)\.?\d*)?)(?![\w#])/
      HEADINGS = [
        /\A(?:\#{1,4}|={1,4})\s.*?#{NUMBER}/, # "## 1.2.3", "== Version 1.2.3"
        /\A\s{0,3}[-*]\s+(?:\d{1,4}-\d\d-\d{1,4}\s+-\s+)?#{NUMBER}(?:\s+-\s+\d{1,4}-\d\d-\d{1,4})?\s*\z/, # "- 1.2.3"
        %r{\A(?:Version|Release)?\s*#{NUMBER}(?:\s*[-/(:].*)?\s*\z}i, # "1.2.3 / 2024-01-01", "Release 1.2.3"
        /\A\d{4}-\d\d-\d\d\s+(?:Version\s+)?#{NUMBER}:?\s*\z/, # "2024-01-01 1.2.3"
        /\A\*\*?(?:Version|Release)?\s*#{NUMBER}.*\*\s*\z/i # "*Version 1.2.3*"
      ].freeze
      LEAK = /\bleak(?:s|ed|ing|age)?\b|\bmemory (?:growth|bloat)\b|\bunbounded growth\b|\bgrow(?:s|ing)? unbounded\b/i
      # Leaks of something else: information, state between tests, names of constants.
      OTHER = /information|credential|password|secret|sensitive|header|\bspecs?\b|\btests?\b|example|\bstate\b|config|
               locale|translation|messages?\b|abstraction|scope|attributes|\benv(?:ironment)?\b|\bdata leak|
               \bleak(?:s|ed|ing)? (?:in)?to\b|path|i18n|internals?\b/xi
      private_constant :LIMIT, :LINE, :NUMBER, :HEADINGS, :LEAK, :OTHER

      # @param path [String] may be compressed by gzip
      # @return [Changelog]
      def self.read(path)
        text = File.open(path, "rb") { |file| unpacked(file).read(LIMIT) }
        new(text.to_s)
      end

      def self.unpacked(file)
        magic = file.read(2)
        file.rewind
        return file unless magic == "\x1F\x8B".b

        require "zlib"
        Zlib::GzipReader.new(file)
      end
      private_class_method :unpacked

      def initialize(text)
        @text = text.dup.force_encoding(Encoding::UTF_8).scrub("?")
      end

      # @return [Array<Fix>] in the order of the file; those above the first version have none
      def fixes
        version = nil
        @text.each_line.with_index(1).filter_map do |line, number|
          line = line.chomp
          next if line.length > LINE

          found = heading(line)
          next version = found unless found.nil?

          Fix.new(version, line.strip.sub(/\A[-*+]\s+/, ""), number) if fix?(line)
        end.grep(Fix)
      end

      private

      # @return [Gem::Version, nil]
      def heading(line)
        HEADINGS.each do |form|
          text = form.match(line)&.captures&.last&.tr("-", ".")
          return Gem::Version.new(text) if text && Gem::Version.correct?(text)
        end
        nil
      end

      def fix?(line) = line.match?(LEAK) && !line.match?(OTHER)
    end
  end
end
