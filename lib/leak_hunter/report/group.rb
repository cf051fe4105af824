# frozen_string_literal: true

module LeakHunter
  class Report
    # How one group is shown: what it is, where it was allocated, how old it is. For any choice of `group_by:`.
    class Group
      include Format

      # Types that say no more than the class.
      PLAIN_TYPES = %w[OBJECT STRUCT STRING ARRAY HASH CLASS MODULE SYMBOL REGEXP FLOAT FILE MATCH BIGNUM RATIONAL
                       COMPLEX].freeze

      # A class, as opposed to the name that C code gave to a struct.
      CONSTANT = /\A\p{Upper}[\p{Word}:]*\z/

      # Kinds of IMEMO whose name says little, or something else elsewhere: Rack has an `env`, too.
      INTERNALS = { "env" => "closure scope" }.freeze

      def initialize(group, third_generation: nil, root: WorkingDirectory.path)
        @group = group
        @third_generation = third_generation
        @root = root && Printable.call(root)
        names = { what:, place:, gem: group[:gem], method: group[:method], generation: }.compact
        @title_key, @title = names.first
        @names = names.transform_values { |name| printable(name) }
      end

      # @return [String] the class if it is known, else the next best name
      def title = printable(@title || "unknown")

      # @param width [Integer, nil] columns; nil for all of it
      # @return [String, nil] the rest, not wider than width
      def detail(width)
        width ||= Text::WIDTHS.end
        names = @names.except(@title_key)
        place, gem, method, generation = names.values_at(:place, :gem, :method, :generation)
        place = place.to_s
        notes = [("(#{gem})" if gem), generation].compact.map { |note| " #{note}" }.join
        # the gem is never shortened, the method down to half of the line, the place to what is left
        room = width - columns(notes)
        method = method ? shorten(" in #{method}", room - [columns(place), room / 2].min) : ""
        line = "#{shorten_left(place, room - columns(method))}#{method}#{notes}".strip
        line.empty? ? nil : shorten(line, width)
      end

      # @return [Hash{String => String}] what its numbers are estimated from, and through which contexts and callers it
      #   was allocated, where that is known
      def origins
        origin = Origin.new(@group)
        { "estimate" => estimate, "from" => origin.contexts, "via" => origin.callers }.compact
      end

      # @return [String] garbage collections between the allocation and the third dump, "36-69"
      def age
        oldest, youngest = @group[:generations]
        return "-" unless oldest && @third_generation

        [@third_generation - youngest, @third_generation - oldest].uniq.map { |age| count(age) }.join("-")
      end

      # @return [String, nil] file and line, the file relative to the gem or the application it is in
      def place
        return unless @group.key?(:file) || @group.key?(:line)

        file, line = @group.values_at(:file, :line)
        return "allocation site unknown (not traced)" unless file || line
        return "line #{line}" unless file

        printable([short(file), line].compact.join(":"))
      end

      private

      def what
        name, type = @group.values_at(:class, :type)
        # no class: an object of the VM's own, or not grouped by class
        return @group.key?(:class) && type ? "#{type} (Ruby internal)" : type if name.nil?
        return "#{INTERNALS.fetch(name, name)} (Ruby internal)" if type == "IMEMO"

        plain = type.nil? || PLAIN_TYPES.include?(type) || (type == "DATA" && name.match?(CONSTANT))
        plain ? name : "#{name} (#{type})"
      end

      # Ruby's own files, such as <internal:kernel>, have their names whole.
      def short(file)
        return file if file.start_with?("<")

        in_gem(file) || in_library(file) || in_root(file) || file
      end

      def in_gem(file)
        gem = @group[:gem]
        return unless gem&.match?(/\A\S+ \d/)

        # the directory may have a platform, or the commit of a git source, after name and version
        file[%r{/#{Regexp.escape(gem.tr(" ", "-"))}[^/]*/(.+)\z}, 1]
      end

      # the standard library, and gems as Debian installs them
      def in_library(file) = file[%r{/lib/ruby/(?:vendor_ruby|(?:site_ruby/)?\d[\d.]*)/(.+)\z}, 1]

      def in_root(file)
        file.delete_prefix("#{@root}/") if @root && @root != "/" && file.start_with?("#{@root}/")
      end

      def estimate
        estimate = @group[:estimate] or return

        sampled, lowest, highest = estimate.values_at(:sampled, :lowest, :highest)
        "from #{count(sampled)} sampled: #{count(lowest)} to #{count(highest)} objects"
      end

      def generation = @group[:generation] && "allocated in GC #{count(@group[:generation])}"
    end
  end
end
