# frozen_string_literal: true

require "open3"
require "rbconfig"

# Lock files: made up, and what Bundler's own parser reads in them.
module LockFiles
  SOURCES = {
    "rubygems" => "GEM\n  remote: https://gems.example/\n",
    "git" => "GIT\n  remote: https://git.example/a.git\n  revision: 0123456789abcdef\n  branch: main\n",
    "path" => "PATH\n  remote: engines/a\n"
  }.freeze
  RUBIES = { "ruby 3.1.2p20" => "3.1.2", "ruby 3.4.0.preview1" => "3.4.0.preview1",
             "ruby 2.6.8p001 (jruby 9.3.3.0)" => "2.6.8" }.freeze

  BUNDLER = <<~RUBY
    require "bundler"
    require "json"
    kinds = { "Rubygems" => "rubygems", "Git" => "git", "Path" => "path" }
    puts(JSON.parse($stdin.read).map do |text|
      lock = Bundler::LockfileParser.new(text)
      specs = lock.specs.map do |spec|
        [spec.name, spec.version.to_s, spec.platform.to_s, kinds.fetch(spec.source.class.name[/\\w+\\z/]),
         spec.dependencies.map(&:name)]
      end
      [specs.sort, lock.dependencies.keys.sort, lock.ruby_version]
    end.to_json)
  RUBY

  class << self
    # @return [Hash] `:text`, and what is in it: `:specs`, `:declared`, `:ruby`
    def made_up(random)
      names = Array.new(random.rand(1..12)) { |at| "#{%w[a rack-x b_c D].sample(random:)}#{at}" }
      specs = names.flat_map do |name|
        version = "#{random.rand(20)}.#{random.rand(20)}#{[".0", ".1.2", ".0.pre3", ".beta"].sample(random:)}"
        kind = SOURCES.keys.sample(random:)
        platforms = kind == "rubygems" ? [%w[ruby], %w[ruby x86_64-linux], %w[java]].sample(random:) : %w[ruby]
        needed = names.sample(random.rand(4), random:) - [name]
        platforms.map { |platform| [name, version, platform, kind, needed] }
      end
      declared = names.sample(random.rand(names.size + 1), random:)
      ruby = [nil, *RUBIES.keys].sample(random:)
      { text: text(specs, declared, ruby, random), specs: specs.sort, declared: declared.sort, ruby: }
    end

    # @return [Array<Array>] of each text: specs, declared names, Ruby's version
    def read_by_bundler(texts)
      require "json"
      Dir.mktmpdir do |dir|
        File.write(File.join(dir, "Gemfile"), "")
        out, status = Open3.capture2({ "BUNDLE_GEMFILE" => File.join(dir, "Gemfile") }, RbConfig.ruby, "-e", BUNDLER,
                                     stdin_data: JSON.generate(texts), chdir: dir)
        raise "Bundler failed" unless status.success?

        JSON.parse(out)
      end
    end

    # A lock file that Bundler writes, of gems that are installed.
    def by_bundler(dir, gems)
      File.write(File.join(dir, "Gemfile"), gems.map { |name| "gem #{name.dump}\n" }.join)
      out, status = Open3.capture2e({ "BUNDLE_GEMFILE" => nil, "RUBYOPT" => nil }, RbConfig.ruby, "-e",
                                    'load Gem.bin_path("bundler", "bundle")', "lock", "--local", chdir: dir)
      raise out unless status.success?

      File.join(dir, "Gemfile.lock")
    end

    private

    def text(specs, declared, ruby, random)
      kinds = specs.to_h { |spec| [spec[0], spec[3]] }
      sources = specs.group_by { |spec| spec[3] }.map do |kind, some|
        "#{SOURCES.fetch(kind)}  specs:\n#{entries(some, random)}"
      end
      named = declared.sort.map do |name|
        "  #{name}#{[" (~> 1.0)", ""].sample(random:)}#{"!" unless kinds[name] == "rubygems"}\n"
      end
      sections = [*sources, "PLATFORMS\n  ruby\n  x86_64-linux\n", "DEPENDENCIES\n#{named.join}"]
      sections << "RUBY VERSION\n   #{ruby}\n" if ruby
      text = [*sections, "BUNDLED WITH\n   2.3.15\n"].join("\n")
      random.rand(4).zero? ? text.gsub("\n", "\r\n") : text
    end

    def entries(specs, random)
      specs.sort.map do |name, version, platform, _, needed|
        "    #{name} (#{version}#{"-#{platform}" unless platform == "ruby"})\n" +
          needed.map { |other| "      #{other}#{[" (>= 1.0, < 3)", ""].sample(random:)}\n" }.join
      end.join
    end
  end
end
