# frozen_string_literal: true

RSpec.describe LeakHunter::Gems, :tmpdir do
  def write(path, text)
    full = File.join(@tmpdir, path)
    FileUtils.mkdir_p(File.dirname(full))
    File.write(full, text)
  end

  def lock(*declared, needs: {})
    all = (declared + needs.keys + needs.values.flatten).uniq.sort
    specs = all.map { |name| "    #{name} (1.0)\n#{needs.fetch(name, []).map { |it| "      #{it}\n" }.join}" }
    write("Gemfile.lock", "GEM\n  remote: https://gems.example/\n  specs:\n#{specs.join}\nPLATFORMS\n  ruby\n\n" \
                          "DEPENDENCIES\n#{declared.sort.map { |it| "  #{it}\n" }.join}")
  end

  # By name, of the files alone.
  def verdicts(**options)
    LeakHunter.gems(dir: @tmpdir, heap: false, **options).to_h { |row| [row[:name], row] }
  end

  describe "of the files alone" do
    it "takes a gem for used where code, configuration or a program names it" do
      lock("pundit", "sidekiq", "pg", "rubyzip", "kramdown", "resque", "nothing")
      write("app/policies/post_policy.rb", "class PostPolicy\n  include Pundit\nend\n")
      write("config/application.rb", "config.active_job.queue_adapter = :sidekiq\n")
      write("config/database.yml", "production:\n  adapter: postgresql\n")
      write("Procfile", "worker: bundle exec resque work\n")
      write("lib/pack.rb", "# Kramdown is not used\nclass Pack\n  def call = Zip::File.open(path)\nend\n")
      found = verdicts
      used = found.select { |_, row| row[:verdict] == "used" }.keys
      expect(used).to contain_exactly("pundit", "sidekiq", "pg", "resque")
      expect(found["pundit"][:reasons]).to eq(["app/policies/post_policy.rb:2 names Pundit"])
      expect(found["pg"][:reasons].first).to match(/database\.yml:2/)
      expect(found["kramdown"]).to include(verdict: "probably_unused", confidence: "low", severity: "low")
    end

    it "never takes a gem for unused that works unseen, or is a tool or a server" do
      lock("bootsnap", "tzinfo-data", "puma", "rubocop", "newrelic_rpm")
      write("app.rb", "class App\nend\n")
      expect(verdicts.values.map { |row| row[:verdict] }.uniq).to eq(["unknown"])
    end

    it "says nothing where there are no files, either" do
      lock("pundit")
      expect(verdicts["pundit"]).to include(verdict: "unknown", confidence: nil, saves: nil)
    end

    it "takes what a used gem needs for used, and says what would leave with another" do
      lock("pundit", "activesupport", "kramdown", needs: { "pundit" => ["activesupport"], "kramdown" => ["rexml"] })
      write("app.rb", "Pundit\n")
      found = verdicts
      expect(found["activesupport"][:reasons].first).to match(/\Apundit needs it/)
      expect(found["kramdown"][:saves]).to eq(gems: ["rexml"])
    end

    it "reads no comments, no folders of others and no huge or unreadable files" do
      lock("kramdown")
      write("app.rb", "# Kramdown\n  # Kramdown::Document\nx = 1\n")
      write("vendor/bundle/x.rb", "Kramdown\n")
      write("node_modules/x/x.rb", "Kramdown\n")
      write("big.rb", "Kramdown\n".ljust(1_000_001, "\n"))
      write("long.rb", "x = Kramdown#{"::A" * 1_000}\n")
      write("broken.rb", "\xFF\xFE Kramdow \x00\n")
      Dir.mkdir(File.join(@tmpdir, "folder.rb"))
      File.symlink(File.join(@tmpdir, "gone.rb"), File.join(@tmpdir, "link.rb"))
      expect(verdicts["kramdown"][:verdict]).to eq("probably_unused")
    end

    it "looks at tests last" do
      lock("kramdown")
      write("spec/a_spec.rb", "Kramdown\n")
      write("zoo.rb", "Kramdown\n")
      expect(verdicts["kramdown"][:reasons]).to eq(["zoo.rb:1 names Kramdown"])
    end
  end

  it "refuses a folder without a lock file, and unknown options" do
    expect { LeakHunter.gems("1.json", dir: "/") }.to raise_error(LeakHunter::UsageError, /no Gemfile\.lock/)
    expect { LeakHunter.gems(sauces: false) }.to raise_error(LeakHunter::UsageError, /sources/)
  end

  describe LeakHunter::Gems::HeapUse do
    let(:evidence) { { with_path: 1000, constants: 100, calls: 10, receivers: 10, code: 1000, cached_methods: 1 } }

    # @param uses [Hash{String => Array<String>}] by gem, who uses it
    def heap_use(uses, needs: {})
      names = uses.keys - ["app"]
      lock(*names, needs:)
      tally = { count: 1, memsize: 10 }
      gems = uses.transform_values do |users|
        { code: tally, classes: tally, strings: tally, ran: 0, namespaces: [], inherits_from: [],
          uses: users.map { |user| { user:, kind: "call", count: 1, file: "/srv/#{user}.rb", class: "X" } } }
      end
      path = File.join(@tmpdir, "Gemfile.lock")
      described_class.new({ gems:, evidence: }, LeakHunter::Project::Lockfile.read(path))
    end

    it "follows use from the application on, not among gems that nobody uses" do
      use = heap_use({ "app" => [], "web" => ["app"], "db" => ["web"], "lost" => ["idle"], "idle" => ["lost"] })
      expect(%w[web db lost idle].map { |name| use.used?(name) }).to eq([true, true, false, false])
    end

    it "does not take a framework's call of what hooks into it for a use" do
      use = heap_use({ "app" => [], "web" => %w[app plugin], "plugin" => ["web"] })
      expect(use.used?("plugin")).to be(false)
      expect(use.hooked_into("plugin")).to eq(["web"])
      use = heap_use({ "app" => [], "web" => ["app"], "plugin" => ["web"] }, needs: { "plugin" => ["web"] })
      expect(use.used?("plugin")).to be(false)
      use = heap_use({ "app" => [], "web" => ["app"], "adapter" => ["web"] })
      expect(use.used?("adapter")).to be(true), "the framework has found it itself"
    end
  end

  describe LeakHunter::Gems::Manifest do
    it "knows the groups of a Gemfile, which it evaluates only when it is told to" do
      path = File.join(@tmpdir, "Gemfile")
      File.write(path, "gem 'rack'\ngroup(:test) { gem 'capybara' }\ngem 'pry', require: false, group: :development\n")
      manifest = described_class.evaluate(path)
      expect(manifest.groups("rack")).to eq(["default"])
      expect(manifest.other_environment?("capybara")).to be(true)
      expect([manifest.not_required?("pry"), manifest.not_required?("rack")]).to eq([true, false])
      File.write(path, "raise 'no'\n")
      expect(described_class.evaluate(path).groups("rack")).to be_nil
    end
  end
end
