# frozen_string_literal: true

module LeakHunter
  module Gems
    # The files of a project: which of them names a gem's constants, requires it, names its adapter or its program.
    # Nothing is run. Comments are left out where a line begins with one.
    class Sources
      # Where something stands.
      Mention = Struct.new(:path, :line, :text) do
        def to_s = "#{path}:#{line}"

        def test? = path.match?(%r{\A(?:spec|test|features)/})
      end

      RUBY = %w[rb rake ru thor erb haml slim builder jbuilder arb].freeze
      SETTINGS = %w[yml yaml].freeze
      # Files that name programs.
      PROGRAMS = ["Procfile*", "bin/*", "script/*", "Dockerfile*", "Makefile", "*.sh", "package.json",
                  ".github/workflows/*.{yml,yaml}", ".gitlab-ci.yml", ".circleci/config.yml", "compose*.{yml,yaml}",
                  "docker-compose*.{yml,yaml}", "config/deploy*.{rb,yml}", "app.json", "lib/tasks/*.rake",
                  "Rakefile"].freeze
      NOT_READ = %w[vendor node_modules tmp log coverage public/assets public/packs _site .jekyll-cache .git .bundle
                    .leak_hunter].freeze
      MANIFESTS = %r{(?:\A|/)(?:Gemfile(?:\.lock)?|gems\.(?:rb|locked)|[^/]+\.gemspec)\z}
      # Bytes of a line; what is longer no person has written.
      LINE = 2_000
      CONSTANT = /(?<![\w.@$])(?:::)?([A-Z]\w*(?:::[A-Z]\w*){0,15})/
      REQUIRE = %r{\brequire(?:_dependency)?\s{0,9}\(?\s{0,9}["']([\w./-]+)["']}
      # Where a command begins: `web: puma`, `bundle exec sidekiq`, `- run: rubocop`.
      PROGRAM = %r{(?:\A\s*(?:-\s+)?(?:[a-z_]+:\s+)*(?:bundle\ exec\s+)?|exec\s+|&&\s*|;\s*|\bbin/|"\s*)
                   ([a-z][\w-]*)(?=[\s"';&]|\z)}x
      # As Bundler writes them into bin/.
      BINSTUB = /\bGem\.(?:activate_)?bin_path\(\s*["']([\w-]+)["']/
      FILES = 20_000
      BYTES = 1_000_000
      private_constant :RUBY, :SETTINGS, :PROGRAMS, :NOT_READ, :MANIFESTS, :LINE, :CONSTANT, :REQUIRE, :PROGRAM,
                       :BINSTUB, :FILES, :BYTES

      # @param dir [String]
      # @param names [Array<String>] of gems
      def initialize(dir, names)
        @dir = dir
        @constants = {}
        @requires = {}
        @words = {}
        @settings = {}
        @programs = {}
        @read = 0
        @name = %r{(?::|["'])(#{Regexp.union(names.sort_by { |name| -name.length })})(?![\w/-])}
        read
      end

      # @return [Boolean] whether there is any Ruby file
      def any? = @read.positive?

      # @param namespace [String] a class or module of the gem's
      # @return [Mention, nil] where it, or what is in it, is named; in code rather than in tests
      def constant(namespace) = @constants[namespace]

      # @return [Mention, nil]
      def required(name)
        [name, name.tr("-", "/"), name.tr("-", "_")].uniq.filter_map { |feature| @requires[feature] }.first
      end

      # @return [Mention, nil] where configuration names it as a value: `:sidekiq`, `"redis"`
      def word(name) = @words[name]

      # @return [Mention, nil] where a YAML file has it as the adapter
      def adapter(name)
        values = KnownGems::ADAPTERS.filter_map { |value, gem| value if gem == name }
        [name, *values].filter_map { |value| @settings[value] }.first
      end

      # @return [Mention, nil] where a Procfile, a script or CI calls the program
      def program(name) = @programs[name]

      private

      def read
        read_lines(folders.map { |folder| "#{folder}*.{#{RUBY.join(",")}}" }, :ruby)
        read_lines(["config/**/*", "*"].map { |glob| "#{glob}.{#{SETTINGS.join(",")}}" }, :settings)
        read_lines(PROGRAMS, :programs)
      end

      def read_lines(globs, reader)
        paths = globs.flat_map { |glob| files(glob) }.uniq
        paths.each { |path| each_line(path) { |line, number| send(reader, line, path, number) } }
      end

      # Those that are not read are not looked through, either: they may have 100,000 files.
      def folders
        names = Dir.children(@dir).sort.reject { |name| name.start_with?(".") || NOT_READ.include?(name) }
        ["", *names.select { |name| File.directory?(File.join(@dir, name)) }.map { |name| "#{name}/**/" }]
      end

      def files(glob)
        found = Dir.glob(glob, File::FNM_DOTMATCH, base: @dir, sort: true)
        found.reject! { |path| path.match?(MANIFESTS) || NOT_READ.any? { |folder| path.start_with?("#{folder}/") } }
        found.first(FILES)
      end

      def each_line(path, &)
        full = File.join(@dir, path)
        return unless File.file?(full) && File.size(full) <= BYTES

        @read += 1
        text = File.binread(full).force_encoding(Encoding::UTF_8).scrub
        text.each_line.with_index(1) do |line, number|
          yield line, number unless line.bytesize > LINE || line.match?(/\A\s*#/)
        end
      rescue SystemCallError
        nil # it went, or must not be read
      end

      def ruby(line, path, number)
        line.scan(CONSTANT) { |(name)| constants(name, path, number) }
        line.scan(REQUIRE) do |(feature)|
          [feature, feature[%r{\A[^/]+}]].uniq.compact.each { |it| note(@requires, it, path, number) }
        end
        return unless path.start_with?("config/", "lib/") || path.end_with?(".ru", "app.rb")

        line.scan(@name) { |(name)| note(@words, name, path, number) } unless line.match?(REQUIRE)
      end

      # Of `A::B::C` also `A::B` and `A`.
      def constants(name, path, number)
        loop do
          note(@constants, name, path, number)
          parent = name.rpartition("::").first
          break if parent.empty?

          name = parent
        end
      end

      def settings(line, path, number)
        plugin = line[/\A\s*(?:-|theme:|gem:)\s*["']?([\w.-]+)["']?\s*\z/, 1]
        note(@words, plugin, path, number) if plugin
        value = line[/\A\s*(?:adapter|service|queue_adapter|cache_store):\s*["']?:?([\w-]+)/, 1] or return
        note(@settings, value, path, number)
      end

      def programs(line, path, number)
        line.scan(PROGRAM) { |(word)| note(@programs, word, path, number) }
        line.scan(BINSTUB) { |(name)| note(@programs, name, path, number) }
      end

      def note(table, key, path, number)
        known = table[key]
        return if known && !(known.test? && !path.match?(%r{\A(?:spec|test|features)/}))

        table[key] = Mention.new(path, number, key)
      end
    end
  end
end
