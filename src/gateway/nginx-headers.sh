#!/bin/bash
# Makes nginx's generated headers (ngx_auto_config.h, ngx_auto_headers.h) in folder $1 by running nginx's own configure from
# Debian's nginx-dev with the flags that Debian built nginx with, so that the module's binary signature is that of the server.
# The source tree is linked, not copied: configure writes a Makefile where it runs. $2: the folder of the sources.
set -eu
out=$1 source=$2
if [ ! -r "$source/conf_flags" ]; then
  echo "nginx-headers: $source/conf_flags is missing; install the package nginx-dev" >&2
  exit 1
fi
work=$(mktemp -d "$out/nginx-configure.XXXXXX")
trap 'rm -rf "$work"' EXIT
ln -s "$source/auto" "$source/src" "$source/configure" "$work/"
. "$source/conf_flags"
if ! (cd "$work" && CC=cc sh ./configure "${NGX_CONF_FLAGS[@]}" --with-cc-opt='-fPIC' --builddir=objs >log 2>&1); then
  tail -n 20 "$work/log" >&2
  exit 1
fi
cp "$work/objs/ngx_auto_config.h" "$work/objs/ngx_auto_headers.h" "$out/"
