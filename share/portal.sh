# Builds the portal's folder, as nginx serves it. Sourced after setup.sh by run and by the tests, POSIX sh, from the root of the repository.
#
# There is no bundler: files are copied as they are, the few libraries beside them under vendor/, and each gets its compressed copy. What the
# libraries import by bare name is renamed to its file here, because an import map would have to be inline.

PORTAL_PACKAGES="nodejs/node npm/npm"

# portal_fetch: the libraries, as portal/package-lock.json names them; nothing to do when they are there
portal_fetch() {
  ! cmp -s portal/package-lock.json portal/node_modules/.installed || return 0
  (install_packages $PORTAL_PACKAGES) || return 1
  echo "Fetching the portal's libraries (npm)"
  log=$(mktemp)
  (cd portal && npm ci --ignore-scripts --no-audit --no-fund --no-progress) >"$log" 2>&1 || {
    sed 's/^/  /' "$log" | tail -5 >&2
    rm -f "$log"
    return 1
  }
  rm -f "$log"
  cp portal/package-lock.json portal/node_modules/.installed
}

# portal_library NAME FILE: with imports of other libraries by their files, and without the pointer to a map that is not served
portal_library() {
  sed -e 's|from *"preact"|from"./preact.js"|' -e 's|from *"htm"|from"./htm.js"|' -e '/^\/\/# sourceMappingURL=/d' "portal/node_modules/$2" >"$3/vendor/$1"
}

portal_place() {
  mkdir -p "$1/lib" "$1/pages" "$1/vendor"
  cp portal/*.html portal/*.js portal/*.css portal/*.svg "$1/"
  cp portal/lib/*.js "$1/lib/"
  cp portal/pages/*.js "$1/pages/"
  portal_library preact.js preact/dist/preact.mjs "$1"
  portal_library hooks.js preact/hooks/dist/hooks.mjs "$1"
  portal_library htm.js htm/dist/htm.mjs "$1"
  portal_library uplot.js uplot/dist/uPlot.iife.min.js "$1"
  echo 'export default uPlot;' >>"$1/vendor/uplot.js"
  cp portal/node_modules/uplot/dist/uPlot.min.css "$1/vendor/uplot.css"
  find "$1" -type f ! -name '*.gz' -exec gzip -9 -n -k -f {} +
  find "$1" -type f -exec chmod 644 {} +
}

# build_portal DIR: DIR/portal holds the portal, or 1 with the reason said. Put together beside its place, so that it is never half there.
build_portal() {
  if [ -e "$1/portal/.built" ]; then
    [ -n "$(find portal share/portal.sh -name node_modules -prune -o -newer "$1/portal/.built" -print | head -1)" ] || return 0
  fi
  portal_fetch || return 1
  fresh=$1/portal.new.$$
  portal_place "$fresh" || { rm -rf "$fresh"; return 1; }
  touch "$fresh/.built"
  rm -rf "$1/portal"
  mv "$fresh" "$1/portal"
  echo "$1/portal: built"
}
