#!/bin/bash
# Builds the images' contents, with or without a container engine. What an image holds is exactly what --check tries out:
# the programs and every library they load, and nothing else (no shell, no package manager).
#
#   docker/build.sh --stage IMAGE FOLDER   install, build (release) and stage; what the Dockerfiles run
#   docker/build.sh --check                stage both images under build/package from a build that is there or gets made,
#                                          look for missing libraries and start each program inside
#   docker/build.sh --images               docker (or podman, buildah) builds both images
#
# Options: --preset NAME (default release). IMAGE is coordinator or store.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

declare -A PROGRAMS=(
  [coordinator]='aisle-coordinator aisle'
  [store]='aisle-agent aisle-worker aisle'
)
readonly USER_ID=10001  # In both images; own the volumes as this user.

fail() { printf 'docker/build.sh: %s\n' "$*" >&2; exit 1; }

# Every shared library a program loads, as the paths the loader finds them at, and the loader itself.
libraries_of() {
  local listing
  listing=$(ldd "$@")
  ! grep -q 'not found' <<<"$listing" || { grep 'not found' <<<"$listing" >&2; return 1; }
  sed -nE 's/.*=> (\/[^ ]+) \(0x.*/\1/p; s/^\s*(\/[^ ]+) \(0x.*/\1/p' <<<"$listing" | sort -u
}

stage() {
  local image=$1 folder=$2 preset=$3 program library
  [[ -n ${PROGRAMS[$image]:-} ]] || fail "no image is called '$image': coordinator, store"
  rm -rf -- "$folder"
  mkdir -p "$folder"/{usr/local/bin,etc/aisle,var/lib/aisle,tmp}
  chmod 1777 "$folder/tmp"
  local programs=()
  for program in ${PROGRAMS[$image]}; do
    [[ -x build/$preset/bin/$program ]] || fail "build/$preset/bin/$program isn't built"
    [[ $preset != release ]] || ! grep -qaF AISLE_DIE_AT "build/$preset/bin/$program" \
      || fail "$program dies at marks, which is for tests: configure with -DAISLE_DIE_AT_MARKS=OFF"
    install -m 0755 "build/$preset/bin/$program" "$folder/usr/local/bin/"
    strip --strip-unneeded "$folder/usr/local/bin/$program"
    programs+=("build/$preset/bin/$program")
  done
  while read -r library; do
    mkdir -p "$folder$(dirname "$library")"
    cp -L "$library" "$folder$library"
  done < <(libraries_of "${programs[@]}")
  # Site policies name hours in a time zone.
  mkdir -p "$folder/usr/share" && cp -r /usr/share/zoneinfo "$folder/usr/share/" && rm -rf "$folder"/usr/share/zoneinfo/{right,posix}
  printf 'root:x:0:0::/:/nonexistent\naisle:x:%s:%s::/var/lib/aisle:/nonexistent\n' $USER_ID $USER_ID >"$folder/etc/passwd"
  printf 'root:x:0:\naisle:x:%s:\n' $USER_ID >"$folder/etc/group"
  printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$folder/etc/nsswitch.conf"
  if ((EUID == 0)); then chown -R $USER_ID:$USER_ID "$folder/var/lib/aisle"; fi
  printf 'staged %-12s %4s MiB, %3s libraries in %s\n' "$image" "$(du -sm "$folder" | cut -f1)" \
    "$(find "$folder" -name '*.so*' -type f | wc -l)" "$folder"
}

# Starts a program with the staged folder as its whole world.
inside() {
  local folder=$1
  shift
  if ((EUID == 0)); then
    chroot "$folder" "$@"
  else
    unshare --user --map-root-user chroot "$folder" "$@"
  fi
}

# What LibTorch looks for in a container's /proc, /sys and /dev as it starts, as plain files: mounting needs rights CI may lack.
lend_machine() {
  local folder=$1
  mkdir -p "$folder"/{proc,dev,sys/devices/system/cpu}
  head -c 4096 /dev/urandom >"$folder/dev/urandom"
  cat /proc/cpuinfo >"$folder/proc/cpuinfo"
  echo "0-$(($(nproc --all) - 1))" | tee "$folder"/sys/devices/system/cpu/{possible,present} >/dev/null
}

take_machine_back() { rm -rf -- "${1:?}"/{proc,dev,sys}; }

try_out() {
  local image=$1 folder=$2 program said
  lend_machine "$folder"
  for program in ${PROGRAMS[$image]}; do
    said=$(inside "$folder" "/usr/local/bin/$program" --version </dev/null) || fail "$program doesn't start in the $image image"
    printf '  %-18s %s\n' "$program" "${said:-starts}"
  done
  take_machine_back "$folder"
}

main() {
  local mode='' image='' folder='' preset=release
  while (($#)); do
    case $1 in
      --stage) mode=stage; image=${2:?--stage needs an image}; folder=${3:?--stage needs a folder}; shift 2 ;;
      --check | --images) mode=${1#--} ;;
      --preset) preset=${2:?--preset needs a name}; shift ;;
      *) fail "unknown option $1" ;;
    esac
    shift
  done
  case $mode in
    stage)
      # shellcheck disable=SC2086
      ./dev build --preset "$preset" ${PROGRAMS[$image]}
      stage "$image" "$folder" "$preset"
      try_out "$image" "$folder"
      ;;
    check)
      ./dev build --preset "$preset" aisle-coordinator aisle-agent aisle-worker aisle
      for image in coordinator store; do
        stage "$image" "build/package/$image" "$preset"
        try_out "$image" "build/package/$image"
      done
      ;;
    images)
      local engine
      engine=$(command -v docker || command -v podman || command -v buildah) || fail "no docker, podman or buildah here"
      for image in coordinator store; do
        "$engine" build -f "docker/$image.Dockerfile" -t "aisle-$image:latest" .
      done
      ;;
    *) fail "one of --stage, --check and --images is needed" ;;
  esac
}

main "$@"
