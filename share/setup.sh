# What vedette needs from Debian 12, in one place, and how it gets onto the machine. Sourced by run and test, POSIX sh.
#
# A word is a package, or PACKAGE/COMMAND: then any installation that has the command will do.

BUILD_PACKAGES="gcc libc6-dev meson ninja-build pkg-config/pkg-config libvectorscan-dev libyaml-dev libutf8proc-dev libicu-dev
  libmicrohttpd-dev libjansson-dev libsqlite3-dev libsodium-dev libcurl4-openssl-dev libssl-dev libmaxminddb-dev zlib1g-dev nginx nginx-dev ca-certificates"
TEST_PACKAGES="clang/clang libclang-rt-14-dev clang-format/clang-format nodejs/node npm/npm python3/python3 python3-jsonschema
  curl/curl openssl/openssl git/git procps/ps iproute2/ip util-linux/unshare chromium/chromium fonts-dejavu-core groff-base/groff libfaketime"

die() {
  printf '%s: %s\n' "$(basename "$0")" "$*" >&2
  exit 1
}

# Prints the packages of the list that are missing. One dpkg-query for all: a run with nothing to do costs some milliseconds.
missing_packages() {
  names=
  for word in $*; do
    case $word in
    */*) command -v "${word#*/}" >/dev/null 2>&1 || names="$names ${word%/*}" ;;
    *) names="$names $word" ;;
    esac
  done
  [ -n "$names" ] || return 0
  have=$(dpkg-query -W -f='${db:Status-Abbrev} ${Package}\n' $names 2>/dev/null | sed -n 's/^ii *//p') || true
  for name in $names; do
    printf '%s\n' "$have" | grep -qx "$name" || printf '%s ' "$name"
  done
}

# Installs what is missing of the list. Debian starts nginx's own service on port 80 when it is installed; ours is started by `vedette
# run` alone, so the service is kept from starting, unless nginx was there before.
install_packages() {
  command -v dpkg-query >/dev/null 2>&1 || die "this is no Debian; install the counterparts of: $*"
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  as_root=
  if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null 2>&1 || die "these packages are missing; as root: apt-get install --no-install-recommends $missing"
    as_root=sudo
  fi
  echo "Installing from Debian: $missing"
  $as_root sh -s -- $missing <<'INSTALL' || die "the packages could not be installed (see above); then run this again"
set -eu
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
guard=/usr/sbin/policy-rc.d
placed=
cleanup() { if [ -n "$placed" ]; then rm -f "$guard"; fi; rm -f "$log"; }
trap cleanup EXIT
case " $* " in
*" nginx "*) if [ ! -e "$guard" ]; then printf '#!/bin/sh\nexit 101\n' >"$guard"; chmod 755 "$guard"; placed=1; fi ;;
esac
apt() { apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1 </dev/null || { tail -20 "$log" >&2; return 1; }; }
apt update
apt install --no-install-recommends -y "$@"
case " $* " in
*" nginx "*) if [ -d /run/systemd/system ]; then systemctl disable --quiet nginx.service || true; fi ;;
esac
INSTALL
}

# configure DIR COMPILER MESON-OPTIONS...: once; ninja notices later changes of the build files itself.
configure() {
  dir=$1 compiler=$2
  shift 2
  [ ! -f "$dir/build.ninja" ] || return 0
  mkdir -p "$dir"
  echo "Configuring $dir"
  CC=$compiler meson setup "$dir" "$@" >"$dir/setup.log" 2>&1 || { tail -20 "$dir/setup.log" >&2; die "meson setup $dir failed"; }
}

# compile DIR TARGETS...: builds what changed; without targets everything. ninja's own status line on a terminal; elsewhere one line at
# the end, and what went wrong when it fails.
compile() {
  dir=$1
  shift
  if [ -t 1 ]; then
    ninja -C "$dir" "$@" || die "the build in $dir failed"
  else
    ninja -C "$dir" "$@" >"$dir/build.log" 2>&1 || { grep -v '^\[' "$dir/build.log" | tail -60 >&2; die "the build in $dir failed"; }
    tail -1 "$dir/build.log" | sed "s|^|$dir: |"
  fi
}
