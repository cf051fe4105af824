# shellcheck shell=bash
# Debian roots for bin/matrix: sourced (bash). Every mount is made in a mount namespace of its own, which ends with the
# command: nothing can stay mounted, whatever happens, and no process stays behind.

shopt -s inherit_errexit # what fails in $(…) ends the script, too
# shellcheck source=bin/support/cache.sh
source bin/support/cache.sh

roots_dir=${LEAK_HUNTER_MATRIX_DIR:-/var/tmp/leak_hunter-matrix}

suite_of() {
  case $1 in
    3.1) echo bookworm ;;
    3.3) echo trixie ;;
    3.4 | 4.0) echo sid ;; # with Ruby, alone, from experimental, if sid does not have it
    *) echo "bin/matrix knows Ruby 3.1, 3.3, 3.4 and 4.0, not $1" >&2 && exit 1 ;;
  esac
}

# A root that is older is made anew, with the packages of the day.
days_old=30

# root_of VERSION: makes the root if there is none, tells its path. Roots are known by suite and by everything that makes
# them; one that is there is whole, since it gets its name at the end, and it is tried before it is used.
root_of() {
  local root key version=$1
  check_host >&2
  key=$(suite_of "$version" | key_of bin/support/roots.sh bin/support/make_root.sh)
  root=$roots_dir/$version-$key
  own_folder "$roots_dir" >&2
  (
    flock 9 # two runs at once do not make the same root
    remove_unused "$roots_dir" "$days_old" "$version-*" >&2
    if is_good "$root" "$version"; then touch "$root/.used" && exit 0; fi
    make_root "$version" "$root.new"
    touch "$root.new/.made" "$root.new/.used"
    flock 8 # nor is it taken away while it is used
    rm -rf --one-file-system "$root"
    mv "$root.new" "$root"
  ) 8>"$root.lock" 9>"$roots_dir/$version.lock" >&2
  echo "$root"
}

# Whether a root is there, young enough, and still works.
is_good() {
  local root=$1 version=$2
  [ -n "$(find "$root" -maxdepth 1 -name .made -mtime "-$days_old" 2>/dev/null)" ] || return 1
  in_root "$root" ruby -e 'require "puma/puma_http11"; exit RUBY_VERSION.start_with?(ARGV[0])' "$version" && return 0
  echo "The root in $root does not work any more"
  return 1
}

check_host() {
  if [ "$(uname)" != Linux ] || [ "$(id -u)" != 0 ]; then
    echo "bin/matrix makes Debian roots for other Rubies than yours: it takes root on Linux" && exit 1
  fi
  need_rust
  need_command debootstrap debootstrap
  need_command unshare util-linux
  install_missing
}

make_root() {
  local version=$1 root=$2 suite
  suite=$(suite_of "$version")
  echo "Making a root of Debian $suite in $root"
  rm -rf --one-file-system "$root"
  # the release files of suites that only the archive still signs may be past their date
  private debootstrap --variant=minbase "$suite" "$root" >"$root.log" 2>&1 || { tail -20 "$root.log" && exit 1; }
  cp bin/support/make_root.sh "$root/make_root.sh"
  in_root "$root" /bin/bash /make_root.sh "$version" >"$root.log" 2>&1 || { tail -20 "$root.log" && exit 1; }
  rm -f "$root.log"
}

private() { unshare --mount --pid --fork --kill-child --propagation private "$@"; }

# in_root ROOT COMMAND…: with the Rust toolchain and cargo's registry of this machine, and a target folder of its own.
in_root() {
  local root=$1
  shift
  # shellcheck disable=SC2016 # expanded in the namespace
  private bash -euc '
    root=$1 sysroot=$2 cargo=$3
    shift 3
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
    mkdir -p "$root/opt/rust" "$root/opt/cargo"
    mount --bind "$sysroot" "$root/opt/rust"
    mount -o remount,bind,ro "$root/opt/rust"
    mount --bind "$cargo" "$root/opt/cargo"
    exec env -u GEM_HOME -u GEM_PATH -u RUBYLIB -u RUBYOPT -u BUNDLE_GEMFILE -u TMPDIR -u RUSTUP_HOME \
      -u RUSTUP_TOOLCHAIN HOME=/root LC_ALL=C.UTF-8 PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin:/opt/rust/bin \
      CARGO_HOME=/opt/cargo CARGO_TARGET_DIR=/var/cache/leak_hunter CARGO_NET_OFFLINE=true \
      chroot "$root" "$@" </dev/null' \
    in_root "$root" "$(rustc --print sysroot)" "${CARGO_HOME:-$HOME/.cargo}" "$@"
}

# with_source ROOT COMMAND…: runs it in the root, beside a copy of this checkout in /leak_hunter. One at a time. What is
# built here is left out: it is of another Ruby. The copy is younger than anything that was built of another checkout,
# so that cargo builds it anew, and only what it depends on is there already.
with_source() {
  local root=$1
  shift
  cargo fetch --locked --quiet
  (
    flock 9
    rm -rf --one-file-system "$root/leak_hunter"
    mkdir "$root/leak_hunter"
    tar --create --exclude-vcs --exclude=./{target,tmp,pkg,vendor,coverage,Gemfile.lock} --exclude='*.so' \
      --exclude=./ext/leak_hunter_core/fuzz . |
      tar --extract --touch --no-same-owner --directory "$root/leak_hunter"
    in_root "$root" "$@"
  ) 9>"$root.lock"
}
