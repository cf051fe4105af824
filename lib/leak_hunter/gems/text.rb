# frozen_string_literal: true

module LeakHunter
  module Gems
    # The answer of {LeakHunter.gems} for people: what can go first, with what would go with it; what is used in a line.
    class Text
      include Report::Format

      TITLES = { "high" => "Probably unused:", "medium" => "Perhaps unused:",
                 "low" => "No use seen, which says little of these:" }.freeze
      # Other sentences begin with a name or a path.
      FIRST_WORD = /\A(?:loaded|none|no|only|it|the)(?= )/
      # Gems that leave with one, by name.
      LEAVING = 4
      private_constant :TITLES, :FIRST_WORD, :LEAVING

      # @param rows [Array<Hash>]
      # @param style [Terminal::Style]
      def initialize(rows, style:, width:, all: false)
        @rows = rows
        @style = style
        @width = width
        @all = all
      end

      def to_s
        ignored, @shown = @rows.partition { |row| row[:ignored] }
        by_verdict = @shown.group_by { |row| row[:verdict] }
        idle = by_verdict.fetch("probably_unused", [])
        [headline(idle), *idle_parts(idle), unknown_part(by_verdict.fetch("unknown", [])),
         used_part(by_verdict.fetch("used", [])), ignored_part(ignored), (advice(idle) if idle.any?)]
          .compact.join("\n\n").concat("\n")
      end

      private

      def headline(idle)
        sure = idle.reject { |row| row[:confidence] == "low" }
        total = sure.sum { |row| row.dig(:saves, :bytes) || 0 }
        many = sure.empty? ? "none" : count(sure.size)
        text = "#{counted(@rows.size, "gem")} in the Gemfile, #{many} probably unused"
        text += ", with #{bytes(total)} of code, classes and Strings" if total.positive?
        paint(wrap("#{text}.", @width))
      end

      def paint(text) = text.lines(chomp: true).map { |line| @style.paint(line, :bold) }.join("\n")

      def idle_parts(idle)
        idle.group_by { |row| row[:confidence] }.map do |confidence, rows|
          [wrap(TITLES.fetch(confidence), @width), *rows.map { |row| entry(row, saved(row[:saves])) }].join("\n")
        end
      end

      def entry(row, more = nil)
        name = [row[:name], row[:version]].compact.join(" ")
        lines = ["  #{@style.paint(printable(name), :bold)}"]
        lines.concat([*row[:reasons], *more].flat_map { |text| indented("#{text}.") })
        lines.join("\n")
      end

      def indented(text)
        wrap(printable(text).sub(FIRST_WORD, &:capitalize), @width - 4).lines(chomp: true).map { |line| "    #{line}" }
      end

      def saved(saves)
        return unless saves

        size = saves[:bytes]
        leaving = saves[:gems]
        what = []
        what << "#{bytes(size)} of code, classes and Strings" if size&.positive?
        what << leaving_gems(leaving) if leaving.any?
        if saves[:rss]
          what << "#{bytes(saves[:rss])} of memory and #{format("%.2f",
                                                                saves[:seconds])} s at start, as loading it alone takes"
        end
        "Without it go #{what.join(", and ")}" if what.any?
      end

      def leaving_gems(names)
        shown = names.first(LEAVING)
        shown << "#{names.size - LEAVING} more" if names.size > LEAVING
        "the #{names.size == 1 ? "gem" : "gems"} #{shown.join(", ")}"
      end

      def unknown_part(rows)
        return if rows.empty?

        ["Not known:", *rows.map { |row| entry(row) }].join("\n")
      end

      def used_part(rows)
        return if rows.empty?
        return ["Used:", *rows.map { |row| entry(row) }].join("\n") if @all

        wrap("Used: #{rows.map { |row| printable(row[:name]) }.join(", ")}. (Why: --all)", @width)
      end

      def ignored_part(rows)
        return if rows.empty?

        wrap("Ignored, as .leak_hunter.yml says: #{rows.map { |row| printable(row[:name]) }.join(", ")}.", @width)
      end

      def advice(idle)
        names = idle.first(1).map { |row| row[:name] }.join
        wrap("A heap shows use and never proves the lack of it. Take one out of the Gemfile at a time, " \
             "#{names} first: run your tests without it (bundle install && bundle exec rake), and look at " \
             "rake tasks and jobs, which may run in processes of their own.", @width)
      end
    end
  end
end
