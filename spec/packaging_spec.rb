# frozen_string_literal: true

require "open3"
require "rbconfig"

RSpec.describe "The gem" do
  root = File.expand_path("..", __dir__)
  let(:spec) { Gem::Specification.load(File.join(root, "leak_hunter.gemspec")) }

  it "has everything that Ruby needs, and nothing that was built" do
    sources = Dir.glob("lib/**/*.rb", base: root) + Dir.glob("sig/**/*.rbs", base: root)
    expect(spec.files).to include(*sources, "exe/leak_hunter", "README.md", "CHANGELOG.md", "LICENSE.txt")
    expect(spec.files.grep(/\.(so|bundle|dylib|gem)\b|\A(target|tmp|pkg|spec|bench)\b/)).to be_empty
  end

  it "has the documentation that the README leads to" do
    links = Document.new("README.md").links.map(&:path)
    expect(links.grep(%r{\Adocs/})).not_to be_empty
    expect(links - spec.files).to eq(%w[CONTRIBUTING.md])
  end

  it "has everything that cargo needs, and neither Rust's tests nor the fuzzer" do
    crates = Dir.glob("ext/*/{Cargo.toml,build.rs,extconf.rb,src/**/*.rs}", base: root)
    included = Dir.glob("ext/*/src/**/*.rs", base: root).flat_map do |file|
      names = File.read(File.join(root, file)).scan(/include_(?:str|bytes)!\("(.+?)"\)/).flatten
      names.map { |name| File.join(File.dirname(file), name) }
    end
    expect(included).not_to be_empty
    expect(spec.files).to include(*crates, *included, "Cargo.toml", "Cargo.lock")
    expect(spec.files.grep(%r{/(tests|fuzz)/})).to be_empty
    # rustup would fetch it, and cargo ignores it where RUSTFLAGS is set
    expect(spec.files.grep(/rust-toolchain|\.cargo/)).to be_empty
  end

  it "has no file for its own people, and only plain files" do
    expect(spec.files.grep(%r{\A(?:(?:bin|rakelib|\.ci)/|Rakefile|Gemfile)})).to be_empty
    expect(spec.files.map { |file| File.join(root, file) }).to all(satisfy { |path| File.file?(path) })
  end

  it "depends on rb_sys alone, which builds it" do
    expect(spec.runtime_dependencies.map(&:name)).to eq(["rb_sys"])
    expect(spec.extensions).to eq(["ext/leak_hunter/extconf.rb"])
    expect(spec.required_ruby_version).to be_satisfied_by(Gem::Version.new("3.1.0"))
    expect(spec.metadata).to include("rubygems_mfa_required" => "true")
  end

  it "has one version: of the gem, of the crates, and of the extension" do
    manifest = File.read(File.join(root, "Cargo.toml"))
    expect(manifest[/^version = "(.+)"$/, 1]).to eq(LeakHunter::VERSION)
    expect(LeakHunter::Native::VERSION).to eq(LeakHunter::VERSION)
    expect(File.read(File.join(root, "CHANGELOG.md"))).to include("## [#{LeakHunter::VERSION}]")
  end

  it "asks for the Rust that its crates ask for" do
    minimum = File.read(File.join(root, "Cargo.toml"))[/^rust-version = "(.+)"$/, 1]
    expect(File.read(File.join(root, "ext/leak_hunter/extconf.rb"))).to include(%(MINIMUM_RUST = "#{minimum}"))
    expect(File.read(File.join(root, "README.md"))).to include("Rust #{minimum}")
  end

  describe "extconf.rb", :tmpdir do
    # Stands in for rb_sys, which is not needed to get this far, and is not everywhere.
    before do
      Dir.mkdir(File.join(@tmpdir, "rb_sys"))
      File.write(File.join(@tmpdir, "rb_sys", "mkmf.rb"), <<~RUBY)
        Config = Struct.new(:auto_install_rust_toolchain, :use_stable_api_compiled_fallback, :extra_cargo_args,
                            :extra_rustflags)
        def create_rust_makefile(target)
          config = Config.new(true, false, [], [])
          yield config
          $makefile_created = true
          p target, *config.first(3)
        end
      RUBY
    end

    def extconf(cargo)
      script = File.expand_path("../ext/leak_hunter/extconf.rb", __dir__)
      environment = { "CARGO" => cargo, "LIBCLANG_PATH" => "/" }
      Open3.capture2e(environment, RbConfig.ruby, "-I", @tmpdir, script, chdir: @tmpdir)
    end

    def cargo_saying(text)
      path = File.join(@tmpdir, "cargo")
      File.write(path, "#!/bin/sh\n#{text}\n")
      File.chmod(0o755, path)
      path
    end

    it "goes on with a cargo that is new enough" do
      output, status = extconf(cargo_saying("echo 'cargo 1.85.0 (d73d2caf9 2024-12-31)'"))
      expect(status).to be_success
      expect(output.lines(chomp: true)).to eq(['"leak_hunter/leak_hunter"', "false", "true", '["--locked"]'])
    end

    it "says in plain words that there is no cargo, or one that is too old or broken" do
      answers = ["/nowhere/cargo", cargo_saying("echo 'cargo 1.63.0'")].map { |cargo| extconf(cargo) }
      answers << extconf(cargo_saying("exit 1"))
      expect(answers.map { |_, status| status.exitstatus }).to eq([1, 1, 1])
      expect(answers.map(&:first)).to match([/no cargo in the PATH/, /Rust 1\.63\.0 is too old/, /does not run/])
      expect(answers.map(&:first).join).not_to match(/mkmf|Makefile/)
    end
  end
end
