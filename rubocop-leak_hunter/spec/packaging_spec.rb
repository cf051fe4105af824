# frozen_string_literal: true

require "open3"
require "rbconfig"
require "tmpdir"

# As users have it: built, installed, and named in .rubocop.yml.
RSpec.describe "The gem rubocop-leak_hunter" do
  around { |example| Dir.mktmpdir("rubocop-leak_hunter") { |dir| example.run if (@dir = File.realpath(dir)) } }

  let(:environment) { { "GEM_HOME" => @dir, "GEM_PATH" => [@dir, *Gem.path].join(File::PATH_SEPARATOR) } }

  def run(*command, chdir: @dir)
    output, status = Open3.capture2e(environment, RbConfig.ruby, "-S", *command, chdir:)
    yield status if block_given?
    output
  end

  def install
    gem = File.join(@dir, "rubocop-leak_hunter.gem")
    source = File.expand_path("..", __dir__)
    run("gem", "build", "--output", gem, "rubocop-leak_hunter.gemspec", chdir: source) { |it| expect(it).to be_success }
    output = run("gem", "install", "--local", "--ignore-dependencies", "--no-document", gem)
    expect(output).to include("1 gem installed")
  end

  def plugins? = Gem::Version.new(RuboCop::Version.version) >= Gem::Version.new("1.72")

  it "adds its cops to RuboCop, which finds a leak with them" do
    install
    File.write(File.join(@dir, ".rubocop.yml"), <<~YAML)
      #{plugins? ? "plugins" : "require"}: [rubocop-leak_hunter]
      AllCops: {NewCops: enable, SuggestExtensions: false, TargetRubyVersion: 3.1}
    YAML
    File.write(File.join(@dir, "audit.rb"), "EVENTS = []\ndef record(event) = EVENTS << event\n")
    output = run("rubocop", "--only", "LeakHunter", "--format", "emacs", "audit.rb") do |status|
      expect(status.exitstatus).to eq(1)
    end
    expect(output).to match(%r{audit\.rb:2:21: W: LeakHunter/UnboundedCollection: `?EVENTS`? lives as long})
  end

  it "has a default for every cop, and nothing else" do
    cops = RuboCop::Cop::Registry.global.select { |cop| cop.cop_name.start_with?("LeakHunter/") }.map(&:cop_name)
    defaults = YAML.safe_load_file(RuboCop::LeakHunter::DEFAULTS, aliases: true)
    expect(defaults.keys).to match_array(cops)
    expect(defaults.values).to all(include("Enabled" => "pending", "Severity" => "warning"))
  end
end
