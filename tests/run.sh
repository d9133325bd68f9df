#!/bin/sh
# Runs groups of tests and counts their TAP. Started by ./test, from the root of the repository, after build-test is built.
#
# As many programs run side by side as there are processors (VEDETTE_TEST_JOBS): most of them wait for servers. Each report is printed whole.
# A program that fails without saying "not ok", says fewer cases than it planned, or prints no TAP at all counts as one failure.
set -eu
. share/setup.sh
src=$(pwd) logs=$(pwd)/build-test/logs limit=${VEDETTE_TEST_LIMIT:-300} jobs=${VEDETTE_TEST_JOBS:-$(nproc)}
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

# one LABEL BUILD-DIR PROGRAM
one() {
  said=$(report_on "$@")
  (
    flock 9
    printf '%s\n' "$said"
  ) 9>>"$totals"
}

# What stands on standard input, "LABEL\0BUILD-DIR\0PROGRAM\0" each, several at a time.
side_by_side() { xargs -0 -r -n 3 -P "$jobs" "$src/tests/run.sh" --one; }

# programs BUILD-DIR GROUP: the executables that Meson has built for the group
programs() {
  [ -d "$1/tests/$2" ] || return 0
  find "$1/tests/$2" -maxdepth 1 -type f -perm -u+x ! -name '*.so' ! -name '*.a' | sort
}

wanted() { [ -z "$only" ] || [ "$1" = "$only" ] || [ "$1" = "test_$only" ] || [ "$1" = "${group}_$only" ]; }

# list_built LABEL-PREFIX BUILD-DIR GROUP: what Meson has built for the group, as side_by_side() takes it
list_built() {
  for program in $(programs "$2" "$3"); do
    name=$(basename "$program")
    if wanted "$name"; then printf '%s\0' "$1$3/$name" "$2" "$program"; fi
  done
}

list_group() {
  list_built "" "$src/build-test" "$1"
  for program in tests/"$1"/*.test; do
    name=$(basename "$program" .test)
    if [ -x "$program" ] && wanted "$name"; then printf '%s\0' "$1/$name" "$src/build-test" "$src/$program"; fi
  done
}

clang_build() {
  configure build-fuzz clang --buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false -Dfuzz=true -Dwerror=true
  compile build-fuzz
}

asan_build() {
  configure build-asan gcc --buildtype=debug -Db_sanitize=address,undefined -Dwerror=true
  compile build-asan
}

run_clang() {
  if (clang_build) >"$logs/clang.log" 2>&1; then
    echo "1 0 0" >>"$totals"
    echo "clang: everything compiles without a warning"
  else
    echo "0 1 0" >>"$totals"
    echo "clang: FAILED"
    tail -40 "$logs/clang.log" | sed 's/^/    | /'
  fi
}

run_fuzz() {
  (clang_build) >"$logs/clang.log" 2>&1 || true
  one fuzz/all "$src/build-fuzz" "$src/tests/fuzz/run"
}

run_asan() {
  if ! (asan_build) >"$logs/asan-build.log" 2>&1; then
    echo "0 1 0" >>"$totals"
    echo "asan: the build FAILED"
    tail -40 "$logs/asan-build.log" | sed 's/^/    | /'
    return
  fi
  export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1 ASAN_OPTIONS=detect_stack_use_after_return=1
  for d in tests/*/; do
    case $d in tests/bench/ | tests/fuzz/) continue ;; esac
    list_built asan/ "$src/build-asan" "$(basename "$d")"
  done | side_by_side
  unset UBSAN_OPTIONS ASAN_OPTIONS
}

if [ "${1:-}" = --one ]; then
  shift
  one "$@"
  exit
fi

: >"$totals"
for word; do
  group=${word%%/*} only=
  case $word in */*) only=${word#*/} ;; esac
  case $group in
  clang | fuzz | asan) ;;
  *) list_group "$group" ;;
  esac
done | side_by_side
for word; do
  group=${word%%/*} only=
  case $word in */*) only=${word#*/} ;; esac
  case $group in
  clang) run_clang ;;
  fuzz) run_fuzz ;;
  asan) run_asan ;;
  esac
done

awk '{ p += $1; f += $2; s += $3 } END { printf "%d passed, %d failed%s\n", p, f, s ? ", " s " skipped" : ""; exit f > 0 || p + f + s == 0 }' "$totals"
