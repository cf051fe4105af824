# frozen_string_literal: true

require_relative "lib/leak_hunter/version"

Gem::Specification.new do |spec|
  spec.name = "leak_hunter"
  spec.version = LeakHunter::VERSION
  spec.authors = ["LeakHunter contributors"]
  spec.summary = "Names what a Ruby process leaks, exactly, from three heap dumps."
  spec.description = "Takes three heap dumps of a running Ruby process and compares them in Rust: what was born " \
                     "between the first and the second and is still there in the third has leaked. Right where " \
                     "slots are reused and objects move. For the console, the shell, rake, and as a Rack endpoint."
  spec.license = "MIT"
  repository = "https://github.com/leak-hunter/leak_hunter"
  spec.homepage = repository
  spec.metadata = {
    "source_code_uri" => repository,
    "changelog_uri" => "#{repository}/blob/main/CHANGELOG.md",
    "documentation_uri" => "#{repository}/blob/main/README.md",
    "bug_tracker_uri" => "#{repository}/issues",
    "rubygems_mfa_required" => "true"
  }

  spec.required_ruby_version = ">= 3.1"
  spec.required_rubygems_version = ">= 3.3.11"

  # Globs, not git: it builds from any copy of the source. What cargo needs is all there, and the lock file with it;
  # Rust's tests and the fuzzer, which has a workspace of its own, are not.
  spec.files = Dir.chdir(__dir__) do
    built = Dir["lib/**/*.{so,bundle,dll}*"]
    kept = Dir["lib/**/*", "leakdb/*.yml", "exe/*", "sig/**/*.rbs", "examples/**/{*.{rb,ru,md},Gemfile}",
               "docs/**/*.{md,json}",
               "Cargo.{toml,lock}", "ext/*/Cargo.toml", "ext/*/{build.rs,extconf.rb}", "ext/*/{src,benches}/**/*.rs",
               "ext/*/src/**/*.{css,html,js,sha256}",
               "{README,CHANGELOG,SECURITY}.md", "LICENSE.txt"]
    (kept - built).select { |path| File.file?(path) }.sort
  end
  spec.bindir = "exe"
  spec.executables = ["leak_hunter"]
  spec.require_paths = ["lib"]
  spec.extensions = ["ext/leak_hunter/extconf.rb"]

  spec.add_dependency "rb_sys", "~> 0.9"
end
