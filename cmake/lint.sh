#!/bin/bash
# What `./dev lint` and the build target `lint` run; `./dev lint --help` documents the options. Exits 1 after running
# every check if any of them found something.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

preset=dev budget=300 since='' all=0
while (($#)); do
  case $1 in
    --all) all=1; budget=100000 ;;
    --since) since=${2:?--since needs a commit}; shift ;;
    --preset) preset=${2:?--preset needs a name}; shift ;;
    --budget) budget=${2:?--budget needs seconds}; shift ;;
    *) echo "lint: unknown option $1" >&2; exit 2 ;;
  esac
  shift
done

failed=()
check() {
  local name=$1 started=$SECONDS
  shift
  if "$@"; then
    printf '%-14s ok       %3d s\n' "$name" $((SECONDS - started))
  else
    printf '%-14s FAILED   %3d s\n' "$name" $((SECONDS - started))
    failed+=("$name")
  fi
}

formatting() {
  local unformatted
  unformatted=$(cmake/sources.sh '*.h' '*.cc' | xargs -r clang-format --dry-run 2>&1 |
    sed -n 's/^\([^ :]*\):[0-9]*:.*Wclang-format.*/\1/p' | sort | uniq -c)
  [[ -n $unformatted ]] || return 0
  printf 'These differ from .clang-format in so many places (./dev format mends them):\n%s\n' "$unformatted"
  return 1
}

include_rules() { /usr/bin/python3 tests/frame/include_scan.py .; }

shell_scripts() { cmake/sources.sh dev '.ci/run' '*.sh' | xargs -r shellcheck; }

python_scripts() {
  cmake/sources.sh '*.py' | { grep -v '^plans/' || true; } | xargs -r /usr/bin/python3 -c '
import ast, sys
for name in sys.argv[1:]:
    ast.parse(open(name, encoding="utf-8").read(), name)'
}

# Without a commit to compare with (a shallow clone, an archive), every file is a changed one.
changed_files() {
  local git=(git -c 'safe.directory=*') base=${since:-HEAD~1}
  if ((all)) || ! "${git[@]}" rev-parse -q --verify "$base^{commit}" >/dev/null 2>&1; then
    cmake/sources.sh '*.cc'
  else
    { "${git[@]}" diff --name-only --diff-filter=d "$base" -- '*.cc' '*.h'
      "${git[@]}" ls-files --others --exclude-standard -- '*.cc' '*.h'; } | sort -u
  fi
}

# The .cc files to look at: a changed header is looked at through its own .cc.
tidy_files() {
  changed_files | sed 's/\.h$/.cc/' | sort -u | while read -r file; do
    [[ -f $file ]] && ! grep -q '#include <\(torch\|ATen\|c10\)/' "$file" && printf '%s\n' "$file"
  done || true
}

prepare_compile_commands() {
  [[ -f build/$preset/build.ninja ]] || cmake --preset "$preset" >/dev/null
  # Headers made by protoc, which most of our adapters include.
  local headers
  mapfile -t headers < <(ninja -C "build/$preset" -t targets all | sed -n 's/^\(.*\.pb\.h\): CUSTOM_COMMAND.*/\1/p' | grep -v '^/')
  ((${#headers[@]} == 0)) || ninja -C "build/$preset" "${headers[@]}" >/dev/null
}

tidy_one() {
  local file=$1 compiled log
  if (($(date +%s) >= TIDY_STOP)); then
    echo "$file" >>"$TIDY_LEFT_OUT"
    return 0
  fi
  # Not compiled by this preset, or together with others (AISLE_JOIN_TESTS): another preset's commands show it.
  # clang can't read LibTorch's headers as C++20, nor GCC's precompiled ones of them.
  compiled=$(grep -B 1 "\"file\": \".*/$file\"" "$TIDY_BUILD/compile_commands.json") || return 0
  [[ $compiled != *cmake_pch* ]] || return 0
  log=$(clang-tidy -p "$TIDY_BUILD" --quiet --warnings-as-errors='*' "$file" 2>/dev/null) && return 0
  printf '%s\n' "$log"
  return 1
}

clang_tidy() {
  local files
  mapfile -t files < <(tidy_files)
  ((${#files[@]})) || return 0
  prepare_compile_commands || return 1
  TIDY_LEFT_OUT=$(mktemp) TIDY_BUILD=build/$preset
  export -f tidy_one
  export TIDY_LEFT_OUT TIDY_BUILD
  local rc=0
  TIDY_STOP=$(($(date +%s) + budget))
  export TIDY_STOP
  printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -I{} bash -c 'tidy_one {}' || rc=1
  if [[ -s $TIDY_LEFT_OUT ]]; then
    printf 'clang-tidy: the budget of %s s ran out before %s of %s files (./dev lint --all looks at every one)\n' \
      "$budget" "$(wc -l <"$TIDY_LEFT_OUT")" "${#files[@]}"
  fi
  rm -f "$TIDY_LEFT_OUT"
  return $rc
}

check formatting formatting
check 'include rules' include_rules
check 'shell scripts' shell_scripts
check 'python' python_scripts
check clang-tidy clang_tidy
((${#failed[@]} == 0)) || { echo "lint: ${failed[*]} found something to mend" >&2; exit 1; }
