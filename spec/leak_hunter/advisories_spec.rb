# frozen_string_literal: true

require "leak_hunter/advisories"
require "yaml"

RSpec.describe LeakHunter::Advisories do
  # A Ruby with no leak of its own.
  def lock(gems, ruby: "4.0.10", source: "rubygems")
    head = { "rubygems" => "GEM\n  remote: https://gems.example/\n", "git" => "GIT\n  remote: x\n  revision: 1\n",
             "path" => "PATH\n  remote: .\n" }.fetch(source)
    specs = gems.map { |name, version| "    #{name} (#{version})\n" }.join
    names = gems.map { |name, _| "  #{name}\n" }.join
    LeakHunter::Project::Lockfile.parse("#{head}  specs:\n#{specs}\nDEPENDENCIES\n#{names}" \
                                        "#{"\nRUBY VERSION\n   ruby #{ruby}\n" if ruby}")
  end

  def findings(gem, version, **options) = LeakHunter.advisories(lock({ gem => version }, **options))

  def ids(gem, version, **options)
    findings(gem, version, **options).select { |it| it[:gem] == gem }.map { |it| it[:id] }
  end

  # Each row of the public list (rubymem/ruby-mem-advisory-db), with versions that leak and versions that do not:
  # before the leak, and from its end on.
  #
  # Mended: celluloid 0.17.2 is in neither range there, and has the fix; grape 301 was fixed in 0.2.4 by the gem's own
  # changelog; redis 3.2.2 has no such thread, and Sidekiq recommended it for that.
  {
    "celluloid-670" => [%w[0.17.0 0.17.1.2], %w[0.16.0 0.15.2 0.17.2 0.17.3 0.18.0]],
    "ethon-194" => [%w[0.13.0 0.14.0], %w[0.12.0 0.15.0 0.16.0]],
    "grape-2084" => [%w[1.3.0 1.3.3], %w[0.5.0 1.2.5 1.4.0]],
    "grape-301" => [%w[0.1.0 0.2.3], %w[0.2.4 0.5.0]],
    "net-http-persistent-98" => [%w[3.0.0], %w[2.9.4 3.1.0 4.0.0]],
    "oj-229" => [%w[1.0.0 2.12.3], %w[2.12.4 3.0.0]],
    "redcarpet-516" => [%w[3.3.2], %w[3.3.3 3.5.1]],
    "redis-612" => [%w[3.3.0], %w[3.2.1 3.2.2 3.3.1 4.0.0]],
    "rgeo-253" => [%w[2.2.0], %w[2.3.0]],
    "sidekiq-2598" => [%w[3.5.0], %w[3.5.1]],
    "sidekiq-pro-4652" => [%w[5.1.1], %w[5.2.0]],
    "sidekiq-statistic-73" => [%w[1.0 1.2], %w[1.2.1 1.4.0]],
    "therubyracer-336" => [%w[0.12.1], %w[0.12.2 0.12.3]]
  }.each do |id, (leaky, clean)|
    it "reads the public list rightly: #{id}" do
      gem = LeakHunter::LeakDB.default[id].gem
      leaky.each { |version| expect(ids(gem, version, ruby: "2.1.10")).to include(id), version }
      clean.each { |version| expect(ids(gem, version, ruby: "2.1.10")).not_to include(id), version }
    end
  end

  it "leaves out zipruby, whose entry in the public list is a leak of information" do
    expect(findings("zipruby", "0.3.6")).to eq []
  end

  it "says no more of 20 real lock files than was looked up by hand" do
    folder = File.expand_path("../fixtures/lock_files", __dir__)
    expected = YAML.safe_load_file(File.join(folder, "expected.yml"))
    expect(expected.keys).to match_array(Dir.children(folder).grep(/\.lock\z/))
    expect(expected.size).to be >= 20
    expected.each do |name, known|
      lock = LeakHunter::Project::Lockfile.read(File.join(folder, name))
      found = LeakHunter.advisories(lock)
      # what this Ruby brings or leaks is not the file's
      found.reject! { |it| it[:version_from] == "ruby" && (lock.ruby_version.nil? || it[:gem] != "ruby") }
      found.reject! { |it| lock.ruby_version.nil? && LeakHunter::LeakDB.default[it[:id]].ruby }
      expect(found.map { |it| it.values_at(:gem, :version, :id).join(" ") }).to match_array(known), name
      found.each { |it| expect(Gem::Version.new(it[:version])).to be < Gem::Version.new(it[:fixed_in]), it[:id] }
    end
  end

  it "says what to update to: without any of the leaks found" do
    found = findings("nokogiri", "1.13.10").select { |it| it[:gem] == "nokogiri" }
    expect(found.map { |it| it[:fixed_in] }.uniq).to contain_exactly("1.16.0", "1.16.1", "1.17.0", "1.19.3")
    expect(found.map { |it| it[:update_to] }.uniq).to eq ["1.19.3"]
    expect(findings("rack", "3.1.16").map { |it| it[:fixed_in] }).to all(start_with("3.1."))
  end

  it "takes a prerelease for what it comes before" do
    expect(ids("actionpack", "5.0.0.beta1")).to include "actionpack-cve-2016-0751"
    expect(ids("actionpack", "5.0.0.beta1.1")).not_to include "actionpack-cve-2016-0751"
    expect(ids("rgeo", "3.0.0.rc.1")).to include "rgeo-301"
    expect(ids("rgeo", "3.0.0.rc.2")).not_to include "rgeo-301"
    expect(ids("json", "2.16.0.beta1")).to include "json-2.16.0"
  end

  it "is less sure of what comes from git or a folder, and says so" do
    expect(findings("ethon", "0.14.0").first).to include(severity: "medium", version_from: "lock")
    found = findings("ethon", "0.14.0", source: "git").first
    expect(found).to include(severity: "low", version_from: "git", fixed_in: "0.15.0")
    advisories = described_class.of(lock({ "ethon" => "0.16.0", "shop" => "1.0" }, source: "git"))
    expect(advisories.findings).to eq []
    expect(advisories.unreleased.map(&:name)).to eq %w[ethon]
  end

  it "knows Ruby's own leaks by the lock file's Ruby" do
    expect(ids("rake", "13.0", ruby: "4.0.9")).to eq []
    found = findings("rake", "13.0", ruby: "4.0.9")
    expect(found.map { |it| it.values_at(:gem, :id, :fixed_in) }).to eq [%w[ruby ruby-22511 4.0.10]]
    expect(findings("rake", "13.0", ruby: "4.0.10")).to eq []
    expect(findings("rake", "13.0", ruby: "3.3.4").map { |it| it[:id] }).to include("ruby-20650", "ruby-20653")
    expect(findings("rake", "13.0", ruby: "2.6.8p1 (jruby 9.3.3.0)")).to eq []
  end

  it "knows the gems that a Ruby brings, unless the lock file has others" do
    brought = findings("rake", "13.0", ruby: "3.2.8").select { |it| it[:gem] == "json" }
    expect(brought.map { |it| it.values_at(:version, :version_from) }.uniq).to eq [%w[2.6.3 ruby]]
    expect(findings("json", "2.18.0", ruby: "3.2.8").map { |it| it[:gem] }).not_to include "json"
    expect(findings("rake", "13.0", ruby: "3.3.4").map { |it| it[:gem] }).not_to include "json" # not known which
    own = findings("rake", "13.0", ruby: RUBY_VERSION).find { |it| it[:gem] == "json" }
    installed = Gem::Specification.find { |spec| spec.name == "json" && spec.default_gem? }.version
    expect(own&.fetch(:version)).to eq(installed < Gem::Version.new("2.16.0") ? installed.to_s : nil)
  end

  it "keeps leaks that only some Rubies have for these" do
    expect(ids("redis", "3.3.0", ruby: "3.1.2")).to eq ["redis-612"]
    expect(ids("redis", "3.3.0", ruby: "3.2.0")).to eq []
    expect(ids("sidekiq", "8.1.5", ruby: "3.4.9")).to eq []
    expect(ids("sidekiq", "8.1.5", ruby: "4.0.10")).to eq ["sidekiq-7006"]
  end

  it "keeps leaks of JRuby for JRuby" do
    expect(ids("honeybadger", "4.0.0")).not_to include "honeybadger-4.1.0"
    expect(ids("honeybadger", "4.0.0", ruby: "2.6.8p1 (jruby 9.3.3.0)")).to include "honeybadger-4.1.0"
    expect(ids("nokogiri", "1.6.1-java")).to include "nokogiri-998"
    expect(ids("nokogiri", "1.6.1")).not_to include "nokogiri-998"
  end

  it "is silent on caches that every release has, unless a heap shows them" do
    expect(findings("sinatra", "4.2.1")).to eq []
    expect(findings("webmock", "3.26.2")).to eq []
  end

  it "takes the gems loaded in this process where there is no lock file" do
    loaded = LeakHunter.advisories
    expect(loaded.map { |it| it[:version_from] } - %w[loaded ruby]).to be_empty
    expect(described_class.of.lock["rspec-core"].version.to_s).to eq RSpec::Core::Version::STRING
  end

  it "refuses options that it does not have, and files that are no lock files" do
    expect { LeakHunter.advisories(heeap: 1) }.to raise_error(LeakHunter::UsageError, /Did you mean heap/)
    expect { LeakHunter.advisories(__FILE__) }.to raise_error(LeakHunter::LockfileError, /no lock file/)
    expect { LeakHunter.advisories("/no/such.lock") }.to raise_error(LeakHunter::LockfileError, /No such file/)
    expect { LeakHunter.advisories(report: 3) }.to raise_error(LeakHunter::UsageError, /result of LeakHunter.diff/)
    expect { LeakHunter.advisories(heap: 3) }.to raise_error(LeakHunter::UsageError, /dump/)
    expect { LeakHunter.advisories(17) }.to raise_error(LeakHunter::UsageError, /lock/)
  end
end
