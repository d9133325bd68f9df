#!/bin/sh
# Run by `meson install`: the portal beside the other files of the installation, where an installed `vedette run` looks for it. It is built first if it
# is not; where npm cannot fetch its libraries the rest is installed all the same.
# $1: the folder for it, without DESTDIR
set -eu
cd "$MESON_SOURCE_ROOT"
. share/setup.sh
. share/portal.sh
to=${DESTDIR:-}$1
build_portal "$MESON_BUILD_ROOT" || {
  echo "The portal is not installed: npm cannot fetch its libraries. ./run says more; meson install again afterwards." >&2
  exit 0
}
rm -rf "$to.old"
[ ! -e "$to" ] || mv "$to" "$to.old"
mkdir -p "$(dirname "$to")"
cp -r "$MESON_BUILD_ROOT/portal" "$to"
rm -rf "$to.old" "$to/.built"
find "$to" -type d -exec chmod 755 {} +
echo "Installing the portal to $to"
