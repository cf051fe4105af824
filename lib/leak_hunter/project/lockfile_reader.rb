# frozen_string_literal: true

module LeakHunter
  module Project
    # Reads the text of a lock file. The specs compare it with Bundler's own parser, which cannot be used here: it loads
    # and runs plugins that the file names, changes RubyGems in this process, and up to Bundler 2.3 fails outside
    # of a project.
    class LockfileReader
      SOURCES = { "GEM" => "rubygems", "GIT" => "git", "PATH" => "path", "PLUGIN SOURCE" => "plugin" }.freeze
      SECTIONS = { "DEPENDENCIES" => :dependency, "RUBY VERSION" => :ruby }.freeze
      CONFLICT = /\A(?:<{7}|={7}|>{7}|\|{7})/
      SPEC = /\A {4}([^\s()]+) \(([^\s()-]+)(?:-([^\s()]+))?\)\z/
      # What is left of the line is a requirement, which the file has been resolved with.
      DEPENDENCY = /\A([^\s()]+?)!?(?: \([^()]*\)!?)?\z/
      RUBY = /\A(ruby|jruby|rbx|truffleruby|mruby) (\d[\w.]*?)(?:p-?\d+)?(?: \((\w+) [\w.-]+\))?\z/
      # Of a line that is shown in a message.
      SHOWN = 60
      private_constant :SOURCES, :SECTIONS, :CONFLICT, :SPEC, :DEPENDENCY, :RUBY, :SHOWN

      def initialize(text, path)
        @text = text.dup.force_encoding(Encoding::UTF_8)
        @path = path
        @specs = []
        @declared = nil
        @section = nil
      end

      # @return [Lockfile]
      # @raise [LockfileError]
      def call
        refuse("is empty") if @text.empty?
        refuse("is not UTF-8 text, so it is no lock file") unless @text.valid_encoding?
        read_lines
        refuse("is no lock file: it has no section such as GEM or DEPENDENCIES") unless @known
        refuse("ends before its section DEPENDENCIES: it is not complete. #{REMEDY}") unless @declared
        Lockfile.new(specs: @specs, declared: @declared, path: @path, ruby_version: @ruby_version, engine: @engine)
      end

      REMEDY = "Restore it, or run: bundle lock"
      private_constant :REMEDY

      private

      def read_lines
        @text.delete_prefix("\uFEFF").each_line.with_index(1) do |line, number|
          @number = number
          line = line.chomp.rstrip
          next if line.empty?

          refuse("has merge conflicts. Resolve them, then run: bundle lock") if line.match?(CONFLICT)
          line.start_with?(" ", "\t") ? read_entry(line) : start_section(line)
        end
        @number = nil
      end

      # Sections that are not known are left out: newer versions of Bundler add some.
      def start_section(line)
        @source = SOURCES[line]
        @section = @source ? :options : SECTIONS[line]
        @known ||= @section
        @current = nil
        @declared ||= [] if @section == :dependency
      end

      def read_entry(line)
        case @section
        when :options then read_option(line)
        when :specs then line.start_with?("      ") ? read_needed(line) : read_spec(line)
        when :dependency then @declared << name_of(line, 2)
        when :ruby then read_ruby(line.strip)
        end
      end

      def read_option(line)
        return @section = :specs if line == "  specs:"

        damaged(line) unless line.match?(/\A {2}[a-z]+:/)
      end

      def read_spec(line)
        name, version, platform = SPEC.match(line)&.captures
        damaged(line) unless name && Gem::Version.correct?(version)

        @current = GemVersion.new(name:, version: Gem::Version.new(version), platform: platform || "ruby",
                                  source: @source, dependencies: [], line: @number)
        @specs << @current
      end

      def read_needed(line)
        damaged(line) unless @current
        @current.dependencies << name_of(line, 6)
      end

      def name_of(line, indent)
        rest = line[indent..]
        name = DEPENDENCY.match(rest)&.captures&.first if line.start_with?(" " * indent)
        name || damaged(line)
      end

      # A version that is not understood is not known.
      def read_ruby(line)
        name, version, engine = RUBY.match(line)&.captures
        return unless name && Gem::Version.correct?(version)

        @engine = engine || name
        @ruby_version = Gem::Version.new(version)
      end

      def damaged(line)
        shown = line.strip
        shown = "#{shown[0, SHOWN]}…" if shown.length > SHOWN
        refuse("is damaged: what is this? #{Printable.call(shown)}. #{REMEDY}")
      end

      def refuse(reason)
        raise LockfileError, "#{Printable.call(@path)}#{":#{@number}" if @number} #{reason}"
      end
    end
  end
end
