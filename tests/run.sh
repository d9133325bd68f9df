#!/bin/sh
# Runs groups of tests and counts their TAP. Started by ./test, from the root of the repository, after build-test is built.
#
# As many programs run side by side as there are processors (VEDETTE_TEST_JOBS): most of them wait for servers. Each report is printed whole.
# A program that fails without saying "not ok", says fewer cases than it planned, or prints no TAP at all counts as one failure.
set -eu
. share/setup.sh
src=$(pwd) logs=$(pwd)/build-test/logs limit=${VEDETTE_TEST_LIMIT:-600} jobs=${VEDETTE_TEST_JOBS:-$(nproc)}
mkdir -p "$logs"
# The shipped rules are compiled once, not by each program; what tests compile of their own stands beside them.
export VEDETTE_CACHE="${VEDETTE_CACHE:-$src/build-test/compiled}"
mkdir -p -m 700 "$VEDETTE_CACHE"
totals=$logs/totals

# Reads TAP; prints "passed failed skipped", then what a person has to see. Only unindented lines count: indented ones are subtests.
summarise='
function flush() { if (shown) printf "%s", notes; notes = "" }
/^#/ { notes = notes "    " $0 "\n"; if (length(notes) > 4000) notes = substr(notes, length(notes) - 3000); next }
/^1\.\.0/ { planned = 0; plan = 1; if (tolower($0) ~ /# *skip/) { skipped++; print "    skipped: " substr($0, index($0, "#") + 1) } next }
/^1\.\.[0-9]+/ { plan = 1; planned = substr($1, 4) + 0; next }
/^ok/ { if (tolower($0) ~ /# *skip/) { skipped++; seen++; print "    skipped: " $0 } else { passed++; seen++ } notes = ""; next }
/^not ok/ { failed++; seen++; printf "%s", notes; print "    " $0; notes = ""; after = 25; next }
after > 0 && /^ / { print "    " $0; after--; next }
/^Bail out!/ { failed++; print "    " $0; next }
END {
  if (status != 0 && !failed) { failed++; printf "%s    exit status %s%s\n", notes, status, status == 124 ? " (time limit)" : ""; crashed = 1 }
  else if (!plan && !failed && !skipped) { failed++; print "    no TAP plan (1..N) was printed" ; crashed = 1 }
  else if (plan && planned != seen && !failed && !(planned == 0)) { failed++; print "    planned " planned " cases, ran " seen + 0; crashed = 1 }
  printf "= %d %d %d %d\n", passed, failed, skipped, crashed
}'

# report_on LABEL BUILD-DIR PROGRAM: runs it, counts, and says how it went
report_on() {
  label=$1 build_dir=$2 program=$3
  log=$logs/$(printf %s "$label" | tr '/ ' '--').log
  begin=$(date +%s)
  status=0
  VEDETTE_BUILD=$build_dir VEDETTE_SRC=$src timeout -k 10 "$limit" "$program" >"$log" 2>&1 </dev/null || status=$?
  report=$(awk -v status="$status" "$summarise" "$log")
  counts=$(printf '%s\n' "$report" | sed -n 's/^= //p')
  set -- $counts
  echo "$1 $2 $3" >>"$totals"
  took=$(($(date +%s) - begin))
  printf '%-44s %4d passed' "$label" "$1"
  [ "$2" = 0 ] || printf ', %d FAILED' "$2"
  [ "$3" = 0 ] || printf ', %d skipped' "$3"
  if [ "$took" -gt 4 ]; then printf '  (%d s)' "$took"; fi
  echo
  printf '%s\n' "$report" | grep -v '^= ' || true
  if [ "$4" = 1 ]; then tail -30 "$log" | sed 's/^/    | /'; fi
}

# one LABEL: GROUP/PROGRAM or asan/GROUP/PROGRAM
one() {
  case $1 in
  fuzz/all) set -- "$1" build-fuzz tests/fuzz/run ;;
  asan/*) set -- "$1" build-fuzz "build-fuzz/tests/${1#asan/}" ;;
  *) if [ -x "tests/$1.test" ]; then set -- "$1" build-test "tests/$1.test"; else set -- "$1" build-test "build-test/tests/$1"; fi ;;
  esac
  said=$(report_on "$1" "$src/$2" "$src/$3")
  (
    flock 9
    printf '%s\n' "$said"
  ) 9>>"$totals"
}

# What is known to be long begins first, so that none of it is left to run alone at the end; two with a browser not at once.
long="portal/pages gateway/opinion gateway/network portal/stored clients/anthropic portal/redirect portal/try"
longest_first() {
  awk -v long="$long" 'BEGIN { n = split(long, order) } { all[++m] = $0; given[$0] = 1 }
    END { for (i = 1; i <= n; i++) if (order[i] in given) { print order[i]; delete given[order[i]] }
      for (i = 1; i <= m; i++) if (all[i] in given) print all[i] }'
}

# The labels on standard input, a line each, several at a time.
side_by_side() { longest_first | xargs -d '\n' -r -n 1 -P "$jobs" "$src/tests/run.sh" --one; }

wanted() { [ -z "$only" ] || [ "$1" = "$only" ] || [ "$1" = "test_$only" ] || [ "$1" = "${group}_$only" ]; }

# list_built LABEL-PREFIX BUILD-DIR GROUP: the executables that Meson has built for the group
list_built() {
  [ -d "$2/tests/$3" ] || return 0
  find "$2/tests/$3" -maxdepth 1 -type f -perm -u+x ! -name '*.so' ! -name '*.a' -printf '%f\n' | sort | while read -r name; do
    if wanted "$name"; then echo "$1$3/$name"; fi
  done
}

list_group() {
  list_built "" build-test "$1"
  for program in tests/"$1"/*.test; do
    name=$(basename "$program" .test)
    if [ -x "$program" ] && wanted "$name"; then echo "$1/$name"; fi
  done
}

list_asan() {
  for d in tests/*/; do
    case $d in tests/bench/ | tests/fuzz/) continue ;; esac
    group=$(basename "$d")
    list_built asan/ build-fuzz "$group"
  done
}

# labels_of WORD LIST: what LIST prints for GROUP or GROUP/PROGRAM; nothing at all is a failure
labels_of() {
  group=${1%%/*} only=
  case $1 in */*) only=${1#*/} ;; esac
  found=$("$2" "$group")
  if [ -n "$found" ]; then printf '%s\n' "$found"; else
    echo "0 1 0" >>"$totals"
    echo "there is no test $1" >&2
  fi
}

# One build is what clang has to say, what is fuzzed and what the sanitizers watch. It takes what time the tests leave while they wait.
clang_build() {
  configure build-fuzz clang --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false -Dfuzz=true -Dwerror=true -Dc_args=-g1
  compile build-fuzz
}
begin_clang() {
  nice -n 19 "$src/tests/run.sh" --clang >"$logs/clang.log" 2>&1 &
  building=$!
}
await_clang() {
  if wait "$building"; then
    echo "1 0 0" >>"$totals"
    echo "clang: everything compiles without a warning"
  else
    echo "0 1 0" >>"$totals"
    echo "clang: FAILED"
    tail -40 "$logs/clang.log" | sed 's/^/    | /'
    return 1
  fi
}

run_asan() {
  export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 ASAN_OPTIONS=detect_stack_use_after_return=1
  labels_of "$1" list_asan | side_by_side
  unset UBSAN_OPTIONS ASAN_OPTIONS
}

case "${1:-}" in
--one) one "$2"; exit ;;
--clang) clang_build; exit ;;
esac

: >"$totals"
building=
for word; do
  case ${word%%/*} in clang | fuzz | asan) [ -n "$building" ] || begin_clang ;; esac
done
for word; do
  case ${word%%/*} in clang | fuzz | asan) ;; *) labels_of "$word" list_group ;; esac
done | side_by_side
if [ -n "$building" ] && await_clang; then
  for word; do
    case ${word%%/*} in fuzz) one fuzz/all ;; asan) run_asan "$word" ;; esac
  done
fi

awk '{ p += $1; f += $2; s += $3 } END { printf "%d passed, %d failed%s\n", p, f, s ? ", " s " skipped" : ""; exit f > 0 || p + f + s == 0 }' "$totals"
