# frozen_string_literal: true

require "fileutils"

# Applications made of the gems of this machine, each with five that it loads and does not use (spec/fixtures/gems).
module GemApps
  FOLDER = File.expand_path("../fixtures/gems", __dir__)
  IDLE = %w[pry json-schema net-telnet xmlrpc diff-lcs].freeze
  # What each uses. Of them all but the first are used by what others do for it.
  USED = {
    "sinatra" => %w[sinatra activerecord nokogiri rack-test sqlite3 rack],
    "rails" => %w[railties activerecord actionpack rack-test sqlite3],
    "jekyll" => %w[jekyll kramdown liquid rouge i18n]
  }.freeze

  # Writes the application into a folder, with a lock file of what is installed.
  #
  # @return [Array<String>] the gems that it names
  def gem_app(name, folder, idle: IDLE)
    declared = USED.fetch(name) + idle
    declared.each { |gem| needs_gem(gem) }
    FileUtils.cp([File.join(FOLDER, "idle.rb")], folder)
    FileUtils.cp(File.join(FOLDER, "#{name}.rb"), File.join(folder, "app.rb"))
    File.write(File.join(folder, "Gemfile.lock"), lock_of(declared))
    gems = declared.map { |gem| "gem \"#{gem}\"\n" }
    File.write(File.join(folder, "Gemfile"), "source \"https://gems.example\"\n#{gems.join}")
    declared
  end

  # Runs it, and code after it.
  #
  # @return [String] what it printed
  def run_gem_app(folder, code, *arguments)
    program = "Dir.chdir(ARGV[0]); $VERBOSE = nil; require File.join(ARGV[0], 'app'); #{code}"
    run_ruby(program, folder, *arguments, options: ["-W0"])
  end

  # @return [String] a lock file with these gems and all they need, as far as that is installed
  def lock_of(declared)
    specs = {}
    open = declared.dup
    while (name = open.shift)
      next if specs.key?(name)

      spec = newest(name) or next
      specs[name] = spec
      open.concat(spec.runtime_dependencies.map(&:name))
    end
    lines = specs.values.sort_by(&:name).flat_map do |gem|
      needed = gem.runtime_dependencies.map(&:name).select { |it| specs.key?(it) }.sort
      ["    #{gem.name} (#{gem.version})", *needed.map { |it| "      #{it}" }]
    end
    "GEM\n  remote: https://gems.example/\n  specs:\n#{lines.join("\n")}\n\nPLATFORMS\n  ruby\n\nDEPENDENCIES\n" \
      "#{declared.sort.map { |it| "  #{it}\n" }.join}\nBUNDLED WITH\n   2.3.15\n"
  end

  private

  def newest(name) = Gem::Specification.find_all_by_name(name).max_by(&:version)
end

RSpec.configure { |config| config.include GemApps }
