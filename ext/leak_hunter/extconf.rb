# frozen_string_literal: true

# Run by `gem install`. A checkout is built by `rake compile`, which needs no gem.

# The Rust version that the crates ask for (`rust-version` in Cargo.toml).
MINIMUM_RUST = "1.85"

def missing(what, *hints)
  abort ["leak_hunter is built with Rust here, and #{what}.", *hints].join("\n")
end

def check_cargo
  cargo = ENV.fetch("CARGO", "cargo")
  version = IO.popen([cargo, "--version"], err: File::NULL, &:read)[/\d+\.\d+(\.\d+)?/]
  missing "#{cargo} does not run", "Install Rust #{MINIMUM_RUST} or newer: https://rustup.rs" unless version
  return if Gem::Version.new(version) >= Gem::Version.new(MINIMUM_RUST)

  missing "Rust #{version} is too old: it takes #{MINIMUM_RUST} or newer", "Update it (rustup update) and try again."
rescue Errno::ENOENT, Errno::EACCES
  missing "there is no cargo in the PATH", "Install Rust #{MINIMUM_RUST} or newer: https://rustup.rs",
          "Nothing is downloaded behind your back."
end

# Reading Ruby's headers takes libclang, which is looked for in the places where bindgen looks.
def check_libclang
  return if ENV["LIBCLANG_PATH"] || llvm_config?

  names = %w[libclang.so* libclang-*.so* libclang.dylib libclang.dll]
  folders = %w[/usr/lib/llvm*/lib /usr/lib/*-linux-*/ /usr/lib /usr/lib64 /usr/lib64/llvm*/lib /usr/local/lib
               /usr/local/llvm*/lib /usr/local/opt/llvm*/lib /opt/homebrew/opt/llvm*/lib
               /Library/Developer/CommandLineTools/usr/lib
               /Applications/Xcode.app/Contents/Developer/Toolchains/*/usr/lib
               C:/msys64/*/bin]
  return if Dir.glob(folders.product(names).map { |folder, name| File.join(folder, name) }).any?
  return if bundled_libclang?

  # it may be in a place unknown to us: the build goes on, and this stands above its error
  warn "leak_hunter: libclang was not found. If the build fails: apt-get install libclang-dev, dnf install " \
       "clang-devel, apk add clang-dev, brew install llvm; or set LIBCLANG_PATH to its folder."
end

def llvm_config? = ENV.fetch("PATH", "").split(File::PATH_SEPARATOR).any? { |dir| File.exist?("#{dir}/llvm-config") }

def bundled_libclang?
  require "libclang"
  true
rescue LoadError
  false
end

def musl? = RbConfig::CONFIG.values_at("host_os", "arch", "build_os").compact.any? { |name| name.include?("musl") }

check_cargo
check_libclang

# mkmf adds words of its own to every failure, so it comes after the checks
require "mkmf"
require "rb_sys/mkmf"

create_rust_makefile("leak_hunter/leak_hunter") do |config|
  config.auto_install_rust_toolchain = false
  config.use_stable_api_compiled_fallback = true
  # what was tested is what is built
  config.extra_cargo_args += ["--locked"]
  # musl links statically by default, and then makes no shared object
  config.extra_rustflags += ["-C", "target-feature=-crt-static"] if musl?
end
