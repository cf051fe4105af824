# frozen_string_literal: true

RSpec.describe LeakHunter::Project::Lockfile do
  def parse(text) = described_class.parse(text)

  def facts(lock)
    lock.specs.map { |spec| [spec.name, spec.version.to_s, spec.platform, spec.source, spec.dependencies] }.sort
  end

  def refused(text, path: "Gemfile.lock")
    described_class.parse(text, path:)
    nil
  rescue LeakHunter::LockfileError => e
    e
  end

  let(:small) { <<~LOCK }
    GEM
      remote: https://gems.example/
      specs:
        mustermann (3.0.0)
          ruby2_keywords (~> 0.0.1)
        nokogiri (1.13.10-x86_64-linux)
          racc (~> 1.4)
        racc (1.6.2)
        rack (2.2.22)
        ruby2_keywords (0.0.5)
        sinatra (3.0.5)
          mustermann (~> 3.0)
          rack (~> 2.2, >= 2.2.4)

    PLATFORMS
      ruby

    DEPENDENCIES
      nokogiri
      racc
      sinatra (~> 3.0)

    RUBY VERSION
       ruby 3.1.2p20

    BUNDLED WITH
       2.3.15
  LOCK

  describe ".parse" do
    it "reads what Bundler reads" do
      random = Random.new(RSpec.configuration.seed)
      made_up = Array.new(150) { LockFiles.made_up(random) }
      by_bundler = LockFiles.read_by_bundler(made_up.map { |lock| lock[:text] })
      made_up.zip(by_bundler) do |lock, (specs, declared, ruby)|
        read = parse(lock[:text])
        expect(facts(read)).to eq(specs.sort).and eq(lock[:specs])
        expect(read.declared.sort).to eq(declared).and eq(lock[:declared])
        expect(read.ruby_version&.to_s).to eq(LockFiles::RUBIES[ruby])
      end
    end

    it "answers anything else with its own error" do
      random = Random.new(RSpec.configuration.seed)
      texts = Array.new(20) { LockFiles.made_up(random)[:text] }
      1_500.times do
        text = broken(texts.sample(random:).b, random)
        begin
          parse(text)
        rescue LeakHunter::LockfileError => e
          expect(e.message).to match(/\AGemfile\.lock(:\d+)? \S/)
        end
      end
    end

    def broken(text, random)
      random.rand(1..4).times do
        at = random.rand(text.bytesize + 1)
        case random.rand(5)
        when 0 then text = text[0, at]
        when 1 then text[at, random.rand(30)] = ""
        when 2 then text.insert(at, random.bytes(random.rand(9)))
        when 3 then text.insert(at,
                                ["(", ")", "\n", "    ", "      ", "!", "-", "GEM\n", "  specs:\n",
                                 "\0"].sample(random:))
        when 4 then text.insert(at, text[random.rand(at + 1), 40])
        end
      end
      text
    end

    it "knows Ruby's version and its engine" do
      expect(parse(small)).to have_attributes(ruby_version: Gem::Version.new("3.1.2"), engine: "ruby")
      jruby = parse(small.sub("ruby 3.1.2p20", "ruby 2.6.8p001 (jruby 9.3.3.0)"))
      expect(jruby).to have_attributes(ruby_version: Gem::Version.new("2.6.8"), engine: "jruby")
      expect(parse(small.sub("ruby 3.1.2p20", "???"))).to have_attributes(ruby_version: nil, engine: nil)
    end

    it "leaves out sections that it does not know" do
      lock = parse("#{small}\nCHECKSUMS\n  rack (2.2.22) sha256=00\n\nWHATEVER\n  (((\n")
      expect(facts(lock)).to eq facts(parse(small))
    end

    it "does not run plugins that the file names" do
      lock = parse("PLUGIN SOURCE\n  remote: https://x\n  type: evil\n  specs:\n    a (1.0)\n\nDEPENDENCIES\n  a!\n")
      expect(lock["a"]).to have_attributes(source: "plugin", released?: false)
    end

    it "takes a file with Windows' line ends and a byte order mark" do
      expect(facts(parse("\uFEFF#{small.gsub("\n", "\r\n")}"))).to eq facts(parse(small))
    end
  end

  describe "errors" do
    it "say where, what, and what to do" do
      conflict = refused(small.sub("    racc (1.6.2)\n", "<<<<<<< HEAD\n    racc (1.6.2)\n"))
      expect(conflict.message)
        .to eq "Gemfile.lock:8 has merge conflicts. Resolve them, then run: bundle lock"
      damaged = refused(small.sub("rack (2.2.22)", "rack (2.2.\e[22)"))
      expect(damaged.message).to start_with "Gemfile.lock:9 is damaged: what is this? rack (2.2.\\e[22)."
      expect(refused(small[/.*PLATFORMS/m]).message).to include "not complete"
      expect(refused("").message).to eq "Gemfile.lock is empty"
      expect(refused("source :rubygems\ngem 'rack'\n").message).to include "no lock file"
      expect(refused("\xFF\xFE".b).message).to include "not UTF-8"
    end

    it "say why a file cannot be read", :tmpdir do
      expect { described_class.read(File.join(@tmpdir, "x.lock")) }
        .to raise_error(LeakHunter::LockfileError, /x\.lock cannot be read: No such file or directory/)
      expect { described_class.read(@tmpdir) }.to raise_error(LeakHunter::LockfileError, /Is a directory/)
      huge = File.join(@tmpdir, "huge")
      File.open(huge, "w") { |file| file.truncate(1 << 30) }
      expect { described_class.read(huge) }.to raise_error(LeakHunter::LockfileError, /16 MB/)
    end
  end

  it "reads what Bundler writes", :tmpdir do
    lock = described_class.read(LockFiles.by_bundler(@tmpdir, %w[sinatra rack-test]))
    expect(lock.declared).to contain_exactly("sinatra", "rack-test")
    sinatra = Gem::Specification.find_by_name("sinatra")
    expect(lock["sinatra"]).to have_attributes(version: sinatra.version, source: "rubygems")
    expect(lock.dependencies("sinatra")).to match_array sinatra.runtime_dependencies.map(&:name)
  end

  describe "#leaves_with" do
    it "names what would leave with a gem, and nothing that others need" do
      lock = parse(small)
      expect(lock.leaves_with("sinatra")).to eq %w[mustermann rack ruby2_keywords sinatra]
      expect(lock.leaves_with("nokogiri")).to eq %w[nokogiri]
      expect(lock.leaves_with("nokogiri", "racc")).to eq %w[nokogiri racc]
      expect(lock.leaves_with("racc")).to eq []
      expect(lock.leaves_with("no-such-gem")).to eq []
    end

    it "is what is no longer reached, in any lock file" do
      random = Random.new(RSpec.configuration.seed)
      50.times do
        lock = parse(LockFiles.made_up(random)[:text])
        lock.declared.each do |name|
          expect(lock.leaves_with(name)).to eq (closure(lock,
                                                        lock.declared) - closure(lock, lock.declared - [name])).sort
        end
      end
    end

    # The definition, slowly.
    def closure(lock, names)
      more = (names + names.flat_map { |name| lock.dependencies(name) }).uniq
      more.size == names.size ? names : closure(lock, more)
    end
  end

  describe ".find" do
    before { @gemfile = ENV.delete("BUNDLE_GEMFILE") }
    after { ENV["BUNDLE_GEMFILE"] = @gemfile }

    it "finds the file of the project that a folder is in, as Bundler does", :tmpdir do
      FileUtils.mkdir_p(File.join(@tmpdir, "app/models"))
      expect(described_class.find(File.join(@tmpdir, "app"))).to be_nil
      File.write(lock = File.join(@tmpdir, "Gemfile.lock"), small)
      expect(described_class.find(File.join(@tmpdir, "app/models"))).to eq lock
      File.write(other = File.join(@tmpdir, "next.lock"), small)
      ENV["BUNDLE_GEMFILE"] = File.join(@tmpdir, "next")
      expect(described_class.find(@tmpdir)).to eq other
      ENV["BUNDLE_GEMFILE"] = File.join(@tmpdir, "gems.rb")
      File.write(locked = File.join(@tmpdir, "gems.locked"), small)
      expect(described_class.find(@tmpdir)).to eq locked
    end
  end

  describe ".loaded" do
    it "is what is activated in this process" do
      lock = described_class.loaded
      expect(lock["rspec-core"].version.to_s).to eq RSpec::Core::Version::STRING
      expect(lock).to have_attributes(path: nil, ruby_version: Gem::Version.new(RUBY_VERSION), engine: RUBY_ENGINE)
      expect(lock.dependencies("rspec-core")).to include "rspec-support"
      expect(lock.declared).not_to include "rspec-support"
    end
  end
end
