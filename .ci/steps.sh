# shellcheck shell=bash
# Steps of .ci/run: sourced (bash), in the checkout's folder.
#
#   step COMMAND…      # runs it and waits
#   beside COMMAND…    # runs it beside others, as many as there are cores
#   all_ended          # waits for them, tells how long each took and how the tests ended; exits 1 if one failed

logs=$PWD/tmp/ci
rm -rf "$logs"
mkdir -p "$logs"
cores=$(nproc)
number=0 running=0 broken=0
# shellcheck disable=SC2046 # one number a word
trap 'kill $(jobs -p) 2>/dev/null || true' EXIT

step() {
  number=$((number + 1))
  run_step "$number" "$@" || all_ended
}

beside() {
  number=$((number + 1))
  [ "$running" -lt "$cores" ] || one_ended
  running=$((running + 1))
  run_step "$number" "$@" &
}

one_ended() {
  wait -n || broken=$((broken + 1))
  running=$((running - 1))
}

# Runs a step, keeps what it prints in a file, and shows that at the end.
run_step() {
  local log
  log=$logs/$(printf %02d "$1")
  shift
  echo "--- $* …"
  local TIMEFORMAT='%R %U %S' status=0
  { time "$@" >"$log.log" 2>&1 </dev/null 7>&-; } 2>"$log.time" || status=$?
  echo "$status $*" >"$log.step"
  {
    flock 9
    printf '\n=== %s\n' "$*"
    cat "$log.log"
    [ "$status" = 0 ] || echo "=== $* failed: exit status $status"
  } 9>"$logs/.lock"
  return "$status"
}

# What a failed step said of it, again, for who sees the end of the whole only.
what_failed() {
  sed -n '/^Failures:$/,/^Finished in/p; /^failures:$/,/^test result/p' "$1" | cut -c -300 | head -n 100 | grep . ||
    tail -n 40 "$1" | cut -c -300
}

all_ended() {
  while [ "$running" -gt 0 ]; do one_ended; done
  printf '\nminutes   of CPU\n'
  local log status name
  for log in "$logs"/*.step; do
    read -r status name <"$log"
    awk -v name="$name" '{ printf "%7.1f  %7.1f  %s\n", $1 / 60, ($2 + $3) / 60, name }' "${log%.step}.time"
  done
  printf '\nHow the tests ended\n'
  grep --no-filename --extended-regexp '^([0-9]+ examples?, |Ruby [0-9].* examples?, |test result: )' "$logs"/*.log || echo "no test ran"
  local failed=0
  for log in "$logs"/*.step; do
    read -r status name <"$log"
    [ "$status" = 0 ] && continue
    echo "Failed: $name" && failed=1
    what_failed "${log%.step}.log"
  done
  [ "$failed" = 0 ] && [ "$broken" = 0 ] || exit 1
  printf '\nEverything passed in %d minutes.\n' $((SECONDS / 60))
}

# Builds of other people's crates are kept from run to run, for this compiler and these locked versions. Our own are
# always built anew: cargo goes by times and paths, which say nothing across clones. One run at a time has them.
keep_builds() {
  local folder=${LEAK_HUNTER_CI_DIR:-/var/tmp/leak_hunter-ci} key
  own_folder "$folder" || return 0
  key=$(rustc --version --verbose | key_of Cargo.toml Cargo.lock ext/leak_hunter_core/fuzz/Cargo.lock)
  exec 7>"$folder/.lock"
  flock --nonblock 7 || { echo "Another run uses $folder; this one builds everything" && return 0; }
  remove_unused "$folder" 30 'builds-*'
  mkdir -p "$folder/builds-$key"
  touch "$folder/builds-$key/.used"
  export CARGO_TARGET_DIR=$folder/builds-$key
  local own=(--package leak_hunter --package leak_hunter_core --package leak_hunter_scan)
  cargo clean --quiet --locked "${own[@]}"
  cargo clean --quiet --locked --release "${own[@]}"
  cargo clean --quiet --locked --release "${own[@]}" --target "$(rustc --version --verbose | sed -n 's/^host: //p')"
}
