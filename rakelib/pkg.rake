# frozen_string_literal: true

require "tmpdir"
require_relative "../lib/leak_hunter/version"

namespace :pkg do
  gem_file = "pkg/leak_hunter-#{LeakHunter::VERSION}.gem"

  # The gem's files alone are a workspace that cargo takes, with the lock file as it is.
  check_workspace = lambda do |folder|
    sh({ "CARGO_TARGET_DIR" => File.join(folder, "target") }, "cargo", "tree", "--locked", "--workspace", "--quiet",
       "--manifest-path", File.join(folder, "Cargo.toml"), out: File::NULL)
  end

  desc "Build the gem"
  task :gem do
    mkdir_p "pkg", verbose: false
    ruby_tool "gem", "build", "--strict", "--output", gem_file, "leak_hunter.gemspec"
    Dir.mktmpdir do |dir|
      ruby_tool "gem", "unpack", gem_file, "--target", dir
      check_workspace[File.join(dir, "leak_hunter-#{LeakHunter::VERSION}")]
    end
  end

  desc "Install the built gem into an empty gem home, and use it (needs the gem rb_sys)"
  task install_test: :gem do
    Dir.mktmpdir("leak_hunter-gem") do |home|
      # nothing of the checkout, of Bundler, or of the user's own gems
      clean = { "GEM_HOME" => home, "GEM_PATH" => nil, "RUBYLIB" => nil, "RUBYOPT" => nil, "BUNDLE_GEMFILE" => nil,
                "CARGO_TARGET_DIR" => nil }
      ruby_tool "gem", "install", "--local", "--no-document", "--verbose", gem_file, env: clean
      installed = File.join(home, "bin", "leak_hunter")
      Dir.chdir(home) do
        sh clean, RbConfig.ruby, installed, "--version"
        sh clean, RbConfig.ruby, File.join(__dir__, "support", "installed_gem.rb")
      end
    end
  end
end
