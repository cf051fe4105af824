# shellcheck shell=bash
# Finds what a command needs, and installs what is missing, nothing else. Sourced (bash):
#
#   source "$(dirname "$0")/support/setup.sh"
#   need_build                                  # Rust, a C compiler, libclang, Ruby with its headers, rake
#   need_gem puma puma                          # a gem, and the Debian packages that bring it
#   need_command valgrind valgrind              # a program in the PATH, likewise
#   need "a window" "test -n $DISPLAY" xvfb     # anything: what to call it, how to tell that it is there, packages
#   install_missing                             # installs all that was missing in one go, or says what to do
#
# Where everything is there (rbenv, macOS, a second run) nothing is installed and nothing asks for root.
# Packages are installed on Debian and its children, by root, and only for Debian's own Ruby.

# A bare container has the locale C, in which Ruby reads our own files as ASCII.
[ "$(locale charmap 2>/dev/null)" = UTF-8 ] || export LC_ALL=C.UTF-8

missing_names=() missing_probes=() missing_packages=()

# Cargo is often only in the PATH of login shells.
if ! command -v cargo >/dev/null && [ -x "${CARGO_HOME:-$HOME/.cargo}/bin/cargo" ]; then
  export PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
fi

# need NAME PROBE [PACKAGE…]: PROBE is a shell command that succeeds when NAME is there.
need() {
  local name=$1 probe=$2
  shift 2
  if eval "$probe" >/dev/null 2>&1 </dev/null; then return 0; fi
  missing_names+=("$name") missing_probes+=("$probe") missing_packages+=("$@")
}

need_command() {
  local command=$1
  shift
  need "$command" "command -v $command" "$@"
}

need_gem() {
  local gem=$1
  shift
  need "the gem $gem" "ruby -e 'gem %q($gem)'" "$@"
}

# Rust is never installed from here: a toolchain is its owner's choice.
need_rust() {
  if ! command -v cargo >/dev/null; then
    echo "LeakHunter is built with Rust 1.85 or newer, and there is no cargo here. See https://rustup.rs" >&2
    exit 1
  fi
}

need_ruby() {
  need_command ruby ruby
  need "Ruby's headers" "ruby -rrbconfig -e 'exit File.exist?(RbConfig::CONFIG[%q(rubyhdrdir)] + %q(/ruby.h))'" ruby-dev
  need_command rake rake
}

# What it takes to compile the extension.
need_build() {
  need_rust
  need "a C compiler" "echo 'int main(void) { return 0; }' | cc -x c -o /dev/null -" gcc libc6-dev
  need "libclang" find_libclang libclang-dev
  need_ruby
}

# bindgen, which reads Ruby's headers, looks in the same places.
find_libclang() {
  [ -n "${LIBCLANG_PATH:-}" ] && return 0
  local file
  for file in /usr/lib/llvm*/lib/libclang*.so* /usr/lib/*-linux-*/libclang*.so* /usr/lib/libclang*.so* \
    /usr/lib64/libclang*.so* /usr/lib64/llvm*/lib/libclang*.so* /usr/local/lib/libclang*.so* \
    /usr/local/llvm*/lib/libclang*.so* /Library/Developer/CommandLineTools/usr/lib/libclang.dylib \
    /Applications/Xcode.app/Contents/Developer/Toolchains/*/usr/lib/libclang.dylib \
    /opt/homebrew/opt/llvm*/lib/libclang.dylib /usr/local/opt/llvm*/lib/libclang.dylib; do
    case $file in *libclang-cpp*) continue ;; esac
    [ -e "$file" ] && return 0
  done
  # LLVM is often there without clang, so the folder that llvm-config names is looked into.
  command -v llvm-config >/dev/null && compgen -G "$(llvm-config --libdir)/libclang[-.]*" | grep -qv 'libclang-cpp'
}

install_missing() {
  [ ${#missing_names[@]} -eq 0 ] && return 0
  local IFS=,
  local wanted="${missing_names[*]}"
  IFS=' '
  if ! can_install; then
    echo "Missing: ${wanted//,/, }." >&2
    echo "On Debian, root would have: apt-get install ${missing_packages[*]}. Elsewhere: bundle install, for gems." >&2
    exit 1
  fi
  echo "Installing ${wanted//,/, }" >&2
  local quiet=(-qq -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300)
  apt-get "${quiet[@]}" update
  DEBIAN_FRONTEND=noninteractive apt-get "${quiet[@]}" install --yes --no-install-recommends "${missing_packages[@]}" \
    </dev/null >/dev/null
  check_installed
}

# Debian's packages serve Debian's Ruby only: beside rbenv's or a home-built one they would be of no use.
can_install() {
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
  command -v ruby >/dev/null || return 0
  case $(ruby -rrbconfig -e 'print RbConfig.ruby') in /usr/bin/*) return 0 ;; *) return 1 ;; esac
}

check_installed() {
  local at still=0
  hash -r
  for at in "${!missing_names[@]}"; do
    if ! eval "${missing_probes[$at]}" >/dev/null 2>&1 </dev/null; then
      echo "Still missing after the installation: ${missing_names[$at]}" >&2
      still=1
    fi
  done
  missing_names=() missing_probes=() missing_packages=()
  [ $still -eq 0 ] || exit 1
}

# What the specs use.
need_specs() {
  need_build
  need_gem rspec ruby-rspec
  need_gem rack ruby-rack
  need_gem rack-test ruby-rack-test
  need_gem puma puma
  need_gem railties ruby-railties
  need_gem activerecord ruby-activerecord
  need_gem sqlite3 ruby-sqlite3
  need_gem sinatra ruby-sinatra
  need_gem pry pry
  need_gem json-schema ruby-json-schema
  need_gem jekyll jekyll
  need_gem redis ruby-redis
  need_gem rubocop rubocop
  need_gem rubocop-performance ruby-rubocop-performance
  need "Bundler" "ruby -rbundler -e 'Gem.bin_path(%q(bundler), %q(bundle))'" bundler
  need_command chromium chromium
  need_command chromedriver chromium-driver
  need_command dot graphviz
}
