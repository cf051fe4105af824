# shellcheck shell=bash
# Folders that outlive a checkout. Sourced (bash). They save time and nothing else: each may be removed at any moment, and
# what is found in one is used only when it is whole and was made from the same ingredients.

# own_folder PATH: makes the folder if it is not there. Other users' folders are not used: what is in it is run as root.
own_folder() {
  # shellcheck disable=SC2174 # the folders above it are everybody's
  [ -d "$1" ] || mkdir --parents --mode 700 "$1"
  if [ -L "$1" ] || [ ! -O "$1" ]; then
    echo "$1 is a link, or belongs to somebody else" >&2
    return 1
  fi
}

# key_of FILE…: a short name for what is in the files, and on the standard input.
key_of() {
  cat "$@" - | cksum | cut -d' ' -f1
}

# remove_unused FOLDER DAYS GLOB: removes the folders whose stamp `.used` says that nobody came for so long, and those
# that were never finished. Callers hold whatever lock keeps others from finishing one at the moment.
remove_unused() {
  local folder
  for folder in "$1"/$3/; do
    [ -d "$folder" ] || continue
    [ -z "$(find "$folder" -maxdepth 1 -name .used -mtime "-$2")" ] || continue
    echo "Removing $folder: nobody has used it for $2 days, or it was never finished" >&2
    rm -rf --one-file-system "${folder%/}"
  done
}
