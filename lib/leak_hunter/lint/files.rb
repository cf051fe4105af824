# frozen_string_literal: true

module LeakHunter
  class Lint
    # The files of a project that are read: its Ruby and its templates, without its tests and what others wrote.
    class Files
      NAMES = "**/{*.{rb,rake,ru,erb,jbuilder,gemspec},Rakefile,Capfile,Guardfile}"
      # At any depth; a setting that names one of them reads it all the same.
      LEFT_OUT = %w[vendor node_modules tmp log coverage pkg .git .bundle spec test tests features].freeze
      private_constant :NAMES, :LEFT_OUT

      # @param dir [String] absolute
      # @param settings [Project::Settings]
      def initialize(dir, settings)
        @dir = dir
        @paths = settings.lint_paths
        @exclude = settings.lint_exclude
      end

      # @return [Array<String>] relative to the folder, sorted
      def to_a
        found = if @paths
                  @paths.flat_map { |path| chosen(path) }
                else
                  Dir.glob(NAMES, base: @dir).reject do |it|
                    left_out?(it)
                  end
                end
        found.uniq.reject { |path| excluded?(path) || !File.file?(File.join(@dir, path)) }.sort
      end

      private

      def chosen(path)
        absolute = File.join(@dir, path)
        return [path] if File.file?(absolute)
        raise UsageError, "lint: paths: #{Printable.call(path)} does not exist in #{Printable.call(@dir)}" unless
          File.directory?(absolute)

        Dir.glob(NAMES, base: absolute).map { |name| path == "." ? name : File.join(path, name) }
      end

      def left_out?(path) = File.dirname(path).split("/").intersect?(LEFT_OUT)

      def excluded?(path)
        @exclude.any? { |pattern| File.fnmatch?(pattern, path, File::FNM_PATHNAME | File::FNM_EXTGLOB) }
      end
    end
  end
end
