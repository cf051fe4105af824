# frozen_string_literal: true

require_relative "lib/rubocop/leak_hunter/version"

Gem::Specification.new do |spec|
  spec.name = "rubocop-leak_hunter"
  spec.version = RuboCop::LeakHunter::VERSION
  spec.authors = ["LeakHunter contributors"]
  spec.summary = "RuboCop's cops for memory leaks: what a single file can show of them."
  spec.description = "Collections that live as long as the process and only grow, memos without an end, subscribers, " \
                     "classes and names made at each call. The same rules as LeakHunter's scan of whole programs."
  spec.license = "MIT"
  repository = "https://github.com/leak-hunter/leak_hunter"
  spec.homepage = "#{repository}/tree/main/rubocop-leak_hunter"
  spec.metadata = {
    "source_code_uri" => spec.homepage,
    "documentation_uri" => "#{repository}/blob/main/docs/rules.md",
    "bug_tracker_uri" => "#{repository}/issues",
    "default_lint_roller_plugin" => "RuboCop::LeakHunter::Plugin",
    "rubygems_mfa_required" => "true"
  }
  spec.required_ruby_version = ">= 3.1"
  spec.files = Dir.chdir(__dir__) { Dir["{lib,config}/**/*.{rb,yml}", "README.md", "LICENSE.txt"].sort }
  spec.require_paths = ["lib"]

  # Plugins came with 1.72; older ones are extended as they were then.
  spec.add_dependency "rubocop", ">= 1.39", "< 3"
end
