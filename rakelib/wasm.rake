# frozen_string_literal: true

# Rubies that Debian does not have, as WebAssembly from npm. They can take dumps, but not load the extension.
module WasmRubies
  VERSION = "2.10.1"
  # The last is Ruby's development branch.
  PACKAGES = %w[3.4-wasm-wasi 4.0-wasm-wasi head-wasm-wasi].freeze
  # What has been downloaded outlives the checkout.
  FOLDER = File.join(ENV.fetch("LEAK_HUNTER_CI_DIR", "/var/tmp/leak_hunter-ci"), "wasm-#{VERSION}")

  extend Rake::FileUtilsExt # sh, mkdir_p

  module_function

  def install
    mkdir_p File.dirname(FOLDER), mode: 0o700
    # what is in it is run
    abort "#{File.dirname(FOLDER)} belongs to somebody else" unless File.lstat(File.dirname(FOLDER)).owned?
    return if File.exist?(File.join(FOLDER, ".whole"))

    mkdir_p FOLDER
    packages = PACKAGES.map { |package| "@ruby/#{package}@#{VERSION}" }
    installed = system("npm", "install", "--no-save", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error",
                       "--prefix", FOLDER, *packages)
    abort "npm could not install #{packages.join(", ")}: without them nothing can be checked on Ruby 4" unless installed
    touch File.join(FOLDER, ".whole")
  end

  # Three dumps of each Ruby, taken with this checkout's code.
  def dump_all(out)
    PACKAGES.each do |package|
      folder = File.join(out, package)
      mkdir_p folder
      sh "node", "--no-warnings", "spec/wasm/run.mjs", FOLDER, package, "lib", "spec/wasm/leak.rb", folder
    end
  end
end

desc "Compare dumps taken by Ruby 3.4, 4.0 and the coming one (WebAssembly from npm) with what their program leaked"
task wasm: :compile do
  require "tmpdir"
  WasmRubies.install
  Dir.mktmpdir("leak_hunter-wasm") do |out|
    WasmRubies.dump_all(out)
    ruby_tool "rspec", "spec/wasm/offline.rb", env: { "LEAK_HUNTER_WASM_DUMPS" => out }
  end
end
