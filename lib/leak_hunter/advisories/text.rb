# frozen_string_literal: true

module LeakHunter
  class Advisories
    # The findings for people: by gem, since a gem is what one updates. The severe ones with all that is known, the
    # others with what they need to happen.
    class Text
      include Report::Format

      WORDS = { "high" => "HIGH", "medium" => "MEDIUM", "low" => "LOW" }.freeze
      COLOURS = { "high" => :red, "medium" => :yellow, "low" => :dim }.freeze
      private_constant :WORDS, :COLOURS

      # @param details [Boolean] all that is known of the others, too
      def initialize(advisories, findings:, style:, width:, ignored: [], growing: [], newer: [], details: false)
        @advisories = advisories
        @findings = findings
        @ignored = ignored
        @growing = growing
        @newer = newer
        @details = details
        @width = width
        @style = style
        @labelled = Report::Labelled.new(style:, width:)
      end

      def to_s
        parts = [summary, *@findings.group_by { |it| it[:gem] }.map { |_, some| of_gem(some) },
                 growing, newer, notes]
        "#{parts.flatten(1).compact.join("\n")}\n"
      end

      private

      def summary
        lock = @advisories.lock
        where = lock.path ? printable(lock.path) : "the gems loaded in this process"
        about = "#{counted(lock.names.size, "gem")}, Ruby #{@advisories.ruby_version}"
        about += " (this process's: the file names none)" if lock.path && !lock.ruby_version
        return wrap("No known leak in #{where}: #{about}.", @width) if @findings.empty?

        wrap("#{counted(@findings.size, "known leak")} in #{where}: #{about}.#{said_by_heap}", @width)
      end

      def said_by_heap
        shown = @findings.count { |it| it[:confirmed] }
        denied = @findings.count { |it| it[:confirmed] == false }
        return "" if shown.zero? && denied.zero?
        return " The heap shows #{shown} of them." if denied.zero?

        " The heap shows #{shown.zero? ? "none" : shown} of them, and #{denied} for sure not."
      end

      def of_gem(findings)
        first = findings.first
        head = "#{first[:gem]} #{first[:version]}"
        head += ", update to #{first[:update_to]}" if first[:update_to]
        ["", *@labelled.title("", @style.paint(WORDS[first[:severity]], COLOURS[first[:severity]]), head),
         *@labelled.row("version", origin(first)), *findings.flat_map { |it| of_finding(it) }]
      end

      def of_finding(finding)
        @details || finding[:severity] != "low" ? full(finding) : brief(finding)
      end

      def brief(finding)
        needs = finding[:trigger] && ": #{finding[:trigger]}"
        @labelled.row(finding[:kind], "#{finding[:title]}#{needs} (#{finding[:id]})") + heap(finding)
      end

      def full(finding)
        [*@labelled.row(finding[:kind], "#{finding[:title]} (#{finding[:id]})"), *heap(finding),
         *@labelled.row("how", finding[:mechanism]), *@labelled.row("when", finding[:trigger]),
         *@labelled.row("fixed", fixed(finding)), *@labelled.row("or", finding[:workaround]),
         *@labelled.row("see", finding[:references].join(" "))]
      end

      def heap(finding)
        return [] unless finding[:evidence]

        answer = { true => "shows it: ", false => "does not show it: " }.fetch(finding[:confirmed], "")
        @labelled.row("heap", "#{answer}#{printable(finding[:evidence])}")
      end

      # Where the version alone does not say it.
      def origin(finding)
        case finding[:version_from]
        when "git", "plugin", "path"
          "from #{finding[:version_from] == "path" ? "a folder" : "git"}: whether it has the fix is not known"
        when "ruby" then "Ruby brings it" unless finding[:gem] == "ruby"
        end
      end

      def fixed(finding)
        return "in #{finding[:fixed_in]}" if finding[:fixed_in]

        "in no release that is known"
      end

      def growing
        return if @growing.empty?

        rows = @growing.map do |it|
          size = "#{bytes(it[:memsize])} more, #{counted(it[:count], "object")}"
          [*@labelled.title("", [it[:gem], it[:version]].compact.join(" "), size),
           *@labelled.row("issues", it[:search] || it[:tracker]), *@labelled.row("news", it[:changelog])]
        end
        ["", wrap("Gems whose code allocated what grows. Others may have seen it:", @width), *rows.flatten]
      end

      def newer
        return if @newer.empty?

        rows = @newer.map do |it|
          place = it[:path] ? " (#{it[:path]}:#{it[:line]})" : ""
          [*@labelled.title("", "#{it[:gem]} #{it[:version]}", "fixed in #{it[:fixed_in]}"),
           *@labelled.row("says", "#{printable(it[:text])}#{printable(place)}")]
        end
        ["", wrap("Changelogs of newer versions, not in the database:", @width), *rows.flatten]
      end

      def notes
        unknown = @advisories.unreleased.map(&:name).uniq
        texts = []
        texts << "Not from a release, so their versions say little: #{unknown.join(", ")}." if unknown.any?
        ignored = @ignored.map { |it| "#{it[:id]} (#{it[:ignored][:reason]})" }
        texts << "Ignored: #{ignored.join(", ")}." if ignored.any?
        return if texts.empty?

        ["", *texts.map { |text| wrap(printable(text), @width) }]
      end
    end
  end
end
