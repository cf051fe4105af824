# shellcheck shell=bash
# Debian roots for bin/matrix: sourced (bash). Every mount is made in a mount namespace of its own, which ends with the
# command: nothing can stay mounted, whatever happens, and no process stays behind.

roots_dir=${LEAK_HUNTER_MATRIX_DIR:-/var/tmp/leak_hunter-matrix}

suite_of() {
  case $1 in
    3.1) echo bookworm ;;
    3.3) echo trixie ;;
    3.4) echo sid ;; # with Ruby, alone, from experimental
    *) echo "bin/matrix knows Ruby 3.1, 3.3 and 3.4, not $1" >&2 && exit 1 ;;
  esac
}

# root_of VERSION: makes the root if it is not there, tells its path.
root_of() {
  local root recipe
  check_host >&2
  recipe=$(cat bin/support/roots.sh bin/support/make_root.sh | cksum | cut -d' ' -f1)
  root=$roots_dir/$1
  mkdir -p "$roots_dir"
  (
    flock 9 # two runs at once do not make the same root
    [ "$(cat "$root/.recipe" 2>/dev/null)" = "$recipe" ] && exit 0
    make_root "$1" "$root.new"
    echo "$recipe" >"$root.new/.recipe"
    rm -rf --one-file-system "$root"
    mv "$root.new" "$root"
  ) 9>"$roots_dir/.lock" >&2
  echo "$root"
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

# What is built is left out: it is of another Ruby.
copy_source() {
  cargo fetch --locked --quiet
  rm -rf --one-file-system "$1/leak_hunter"
  mkdir "$1/leak_hunter"
  tar --create --exclude-vcs --exclude=./{target,tmp,pkg,vendor,coverage,Gemfile.lock} --exclude='*.so' \
    --exclude=./ext/leak_hunter_core/fuzz . | tar --extract --no-same-owner --directory "$1/leak_hunter"
}
