# shellcheck shell=bash
# Which Rubies Debian has: sourced (bash).

# rubies: the versions that bin/matrix runs, one a line. Ruby 4.0 is among them as soon as Debian has it in any suite.
rubies() {
  printf '%s\n' 3.1 3.3 3.4
  if debian_has ruby4.0; then echo 4.0; else echo "Debian has no ruby4.0 yet, in sid or experimental" >&2; fi
}

# debian_has PACKAGE: whether sid or experimental has it. Asked with lists of its own, so this machine's stay as they are.
debian_has() {
  local folder mirror
  # shellcheck disable=SC2016 # apt's own variables
  mirror=$(apt-get indextargets --format '$(ORIGIN) $(REPO_URI)' 2>/dev/null | sed -n 's/^Debian \(.*debian\/\?\)$/\1/p' | sort -u | sed 1q)
  [ -n "$mirror" ] || return 1
  folder=$(mktemp -d)
  mkdir -p "$folder/lists/partial" "$folder/archives/partial"
  printf 'deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg check-valid-until=no] %s %s main\n' \
    "$mirror" sid "$mirror" experimental >"$folder/sources.list"
  local options=(-o Dir::Etc::SourceList="$folder/sources.list" -o Dir::Etc::SourceParts=/dev/null
    -o Dir::State="$folder" -o Dir::State::status=/dev/null -o Dir::Cache="$folder" -o Acquire::Languages=none
    -o APT::Sandbox::User=root)
  local candidate=""
  if apt-get -qq "${options[@]}" update >&2; then
    candidate=$(apt-cache "${options[@]}" policy "$1" | sed -n 's/^  Candidate: //p')
  fi
  rm -rf "$folder"
  [ -n "$candidate" ] && [ "$candidate" != "(none)" ]
}
