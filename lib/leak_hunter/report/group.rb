# frozen_string_literal: true

module LeakHunter
  class Report
    # The words for one group: what it is, where it was made, how old it is. Knows any choice of `group_by:`.
    class Group
      include Format

      # Types whose name says no more than the class does.
      PLAIN_TYPES = %w[OBJECT STRUCT STRING ARRAY HASH CLASS MODULE SYMBOL REGEXP FLOAT FILE MATCH BIGNUM RATIONAL
                       COMPLEX].freeze

      # A class of Ruby code, not the name that C code gave to a struct.
      CONSTANT = /\A\p{Upper}[\p{Word}:]*\z/

      def initialize(group, third_generation: nil, root: WorkingDirectory.path)
        @group = group
        @third_generation = third_generation
        @root = root && Printable.call(root)
        names = { what:, place:, gem: group[:gem], method: group[:method], born: }.compact
        @title_key, @title = names.first
        @names = names.transform_values { |name| printable(name) }
      end

      # @return [String] the class if it is known, else the best name there is
      def title = printable(@title || "unknown")

      # @return [String, nil] what the title does not say, not wider than width
      def detail(width)
        place, gem, method, born = @names.reject { |key, _| key == @title_key }.values_at(:place, :gem, :method, :born)
        place = place.to_s
        notes = [("(#{gem})" if gem), born].compact.map { |note| " #{note}" }.join
        # the gem stays whole, the method gives way to half of the place, the place to the rest
        room = width - columns(notes)
        method = method ? shorten(" in #{method}", room - [columns(place), room / 2].min) : ""
        line = "#{shorten_left(place, room - columns(method))}#{method}#{notes}".strip
        line.empty? ? nil : shorten(line, width)
      end

      # @return [String] garbage collections between birth and the third dump
      def age
        oldest, youngest = @group[:generations]
        return "-" unless oldest && @third_generation

        [@third_generation - youngest, @third_generation - oldest].uniq.map { |age| count(age) }.join("-")
      end

      # @return [String, nil] file and line, the file relative to the gem or the application it is in
      def place
        return unless @group.key?(:file) || @group.key?(:line)

        file, line = @group.values_at(:file, :line)
        return "place unknown, not traced" unless file || line
        return "line #{line}" unless file

        [in_gem(file) || in_library(file) || in_root(file) || file, line].compact.join(":")
      end

      private

      def what
        name, type = @group.values_at(:class, :type)
        # no class: hidden from Ruby code, or not asked for
        return @group.key?(:class) && type ? "#{type} (Ruby internal)" : type if name.nil?
        return "#{name} (Ruby internal)" if type == "IMEMO"

        plain = type.nil? || PLAIN_TYPES.include?(type) || (type == "DATA" && name.match?(CONSTANT))
        plain ? name : "#{name} (#{type})"
      end

      def in_gem(file)
        gem = @group[:gem]
        return unless gem&.match?(/\A\S+ \d/)

        # a folder may add a platform, or for git the commit, to name and version
        file[%r{/#{Regexp.escape(gem.tr(" ", "-"))}[^/]*/(.+)\z}, 1]
      end

      # the standard library, and gems as Debian installs them
      def in_library(file) = file[%r{/lib/ruby/(?:vendor_ruby|(?:site_ruby/)?\d[\d.]*)/(.+)\z}, 1]

      def in_root(file)
        file.delete_prefix("#{@root}/") if @root && @root != "/" && file.start_with?("#{@root}/")
      end

      def born = @group[:generation] && "born in GC #{count(@group[:generation])}"
    end
  end
end
