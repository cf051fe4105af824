# frozen_string_literal: true

# A program, run by Lint::RuboCop in a process of its own, with the project's gems: reads a request from standard input,
# `{"cops": […], "extensions": […], "files": […]}`, runs RuboCop for these cops alone, and prints RuboCop's JSON with
# the versions of what ran.

require "json"
require "tempfile"
require "rubocop"

request = JSON.parse($stdin.read)

extensions = request["extensions"].select do |name|
  Gem::Specification.find_by_name(name)
rescue Gem::MissingSpecError
  false
end

# From 1.72 on extensions are plugins; those that are not yet are required.
plugins, required = extensions.partition do |name|
  Gem.loaded_specs["rubocop"] && Gem.loaded_specs["rubocop"].version >= Gem::Version.new("1.72") &&
    Gem::Specification.find_by_name(name).metadata["default_lint_roller_plugin"]
end
extensions.each { |name| require name }

known = RuboCop::Cop::Registry.global.names
cops = request["cops"] & known

ruby = RUBY_VERSION.to_f
target = RuboCop::TargetRuby.supported_versions.select { |version| version <= ruby }.max

config = { "AllCops" => { "DisabledByDefault" => true, "SuggestExtensions" => false, "TargetRubyVersion" => target,
                          "UseCache" => false, "Exclude" => [] } }
config["plugins"] = plugins if plugins.any?
config["require"] = required if required.any?
cops.each { |cop| config[cop] = { "Enabled" => true, "Exclude" => [], "Include" => ["**/*"] } }

def run(config, cops, files)
  Tempfile.create(["rubocop", ".yml"]) do |settings|
    Tempfile.create(["rubocop", ".json"]) do |result|
      settings.write(JSON.generate(config)) # which is YAML, too
      settings.close
      only = [*cops, "Lint/Syntax"].join(",")
      status = RuboCop::CLI.new.run(["--config", settings.path, "--only", only, "--format", "json",
                                     "--out", result.path, "--no-color", "--", *files])
      abort "rubocop ended with status #{status}" unless [0, 1].include?(status)
      return JSON.parse(File.read(result.path))
    end
  end
end

answer = run(config, cops, request["files"])
versions = ["rubocop", *extensions].map do |name|
  "#{name} #{Gem.loaded_specs[name]&.version || RuboCop::Version.version}"
end
puts JSON.generate(versions: versions.join(", "), files: answer["files"])
