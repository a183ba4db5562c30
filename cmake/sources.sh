#!/bin/bash
# Lists our own files that match the patterns (as git pathspecs): tracked ones, and new ones that aren't ignored.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
if git -c safe.directory='*' rev-parse --is-inside-work-tree >/dev/null 2>&1; then
  git -c safe.directory='*' ls-files --cached --others --exclude-standard -- "$@" | sort -u | while read -r file; do
    [[ ! -f $file ]] || printf '%s\n' "$file"
  done
else  # An unpacked archive.
  for pattern in "$@"; do
    find . -path ./build -prune -o -type f -name "${pattern##*/}" -printf '%P\n'
  done | sort -u
fi
