# frozen_string_literal: true

namespace :cargo do
  desc "Run the Rust tests"
  task :test do
    # the property tests do a lot of work, and unoptimised code takes ten times as long for it
    sh({ "CARGO_PROFILE_TEST_OPT_LEVEL" => "1" }, "cargo", "test", "--workspace", "--locked")
  end

  desc "Lint the Rust code, warnings are errors"
  task :clippy do
    sh "cargo", "clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"
  end

  desc "Check the format of the Rust code"
  task :fmt do
    sh "cargo", "fmt", "--all", "--check"
  end

  desc "Build the documentation of the Rust code, warnings are errors"
  task :doc do
    flags = { "RUSTDOCFLAGS" => "-D warnings -A rustdoc::private_intra_doc_links" }
    sh flags, "cargo", "doc", "--workspace", "--no-deps", "--locked", "--document-private-items"
  end
end

desc "Lint the Ruby code"
task :rubocop do
  ruby_tool "rubocop"
end

desc "Check format and style of everything"
task lint: %w[cargo:fmt rubocop leakdb:check cargo:clippy]
