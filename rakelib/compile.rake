# frozen_string_literal: true

require "fileutils"
require "rbconfig"

# Builds the extension with cargo alone: neither rb_sys nor rake-compiler is needed in a checkout.
module Extension
  DIRECTORY = File.expand_path("../lib/leak_hunter", __dir__)
  LIBRARY = File.join(DIRECTORY, "leak_hunter.#{RbConfig::CONFIG["DLEXT"]}")
  TARGET = File.expand_path(ENV.fetch("CARGO_TARGET_DIR", "target"), File.dirname(__dir__))
  # What cargo cannot see in the name of the Ruby that it builds against.
  RUBY = RbConfig::CONFIG.values_at("bindir", "arch", "ruby_version").push(RUBY_VERSION).join(" ")
  STAMP = File.join(TARGET, "release", ".leak_hunter-ruby")

  module_function

  def built
    name = RbConfig::CONFIG["host_os"].match?(/darwin/) ? "libleak_hunter.dylib" : "libleak_hunter.so"
    File.join(TARGET, "release", name)
  end

  # Ruby's symbols are found in the process that loads the extension; macOS' linker has to be told.
  def environment
    return {} unless RbConfig::CONFIG["host_os"].match?(/darwin/)

    { "RUSTFLAGS" => [ENV.fetch("RUSTFLAGS", nil), "-C link-arg=-Wl,-undefined,dynamic_lookup"].compact.join(" ") }
  end

  # The bindings of another Ruby would be taken for fresh.
  def forget_other_ruby
    return if File.exist?(STAMP) ? File.read(STAMP) == RUBY : !File.exist?(built)

    yield
  end

  # A running process may have the file mapped: the new one takes its name, the old one stays whole.
  def install
    FileUtils.mkdir_p(DIRECTORY)
    temporary = "#{LIBRARY}.#{Process.pid}"
    FileUtils.cp(built, temporary)
    File.rename(temporary, LIBRARY)
    File.write(STAMP, RUBY)
  ensure
    FileUtils.rm_f(temporary)
  end
end

desc "Build the extension and put it into lib/"
task :compile do
  Extension.forget_other_ruby { sh "cargo", "clean", "--release", "--locked", "-p", "rb-sys" }
  sh Extension.environment, "cargo", "build", "--release", "--locked", "-p", "leak_hunter"
  Extension.install
end

desc "Remove what was built"
task :clean do
  sh "cargo", "clean"
  FileUtils.rm_rf([Extension::LIBRARY, "pkg", "ext/leak_hunter_core/fuzz/target"])
end
