#!/bin/sh
# Fuzzes, under AddressSanitizer: frames (every option, and the messages made of them), CAR files (index and repository listing),
# rule files (loaded, and run on a few events) and records (under rules that ask for every field and call every function). First a target with a planted bug must be found out within 20 seconds, else nothing here means anything.
# usage: tools/fuzz.sh [SECONDS for each target, 300]
set -eu
# Swift's own crash reporter would stand between a finding and libFuzzer.
export SWIFT_BACKTRACE=enable=no
cd "$(dirname "$0")/.."
export LSAN_OPTIONS="suppressions=$PWD/tools/lsan-suppressions.txt:print_suppressions=0"
seconds=${1:-${FUZZ_SECONDS:-300}}
build=.build-fuzz
jobs=$(getconf _NPROCESSORS_ONLN)
for product in FuzzSeeds FuzzCanary FuzzFrames FuzzCAR FuzzRuleFiles FuzzEvents; do
  FUZZ=1 swift build -c release --scratch-path "$build" --product "$product" -j "$jobs" | tail -n 1
done
real=../shared/data/frames/frames_000_099.bin
[ -f "$real" ] || real=
rm -rf "$build/seeds"
mkdir -p "$build/seeds/rules" "$build/corpus/frames" "$build/corpus/car" "$build/corpus/rules" "$build/corpus/records" "$build/findings"
for file in rules/*.lua rules/*/*.lua; do
  [ -f "$file" ] && cp "$file" "$build/seeds/rules/$(echo "$file" | tr / -)"
done
"$build/release/FuzzSeeds" "$build/seeds" $real

echo "canary: a planted bug, to be found within 20 seconds"
canary=$(mktemp -d)
if "$build/release/FuzzCanary" -seed=1 -max_len=64 -max_total_time=20 -artifact_prefix="$canary/" "$canary" "$build/seeds/canary" \
  >"$build/canary.log" 2>&1 || ! grep -q 'FINDING: the planted bug' "$build/canary.log"; then
  tail -n 5 "$build/canary.log"
  echo "canary: NOT found: the targets are not instrumented, or this machine is far too slow"
  exit 1
fi
grep -E 'FINDING' "$build/canary.log"
rm -rf "$canary"

# $1 target, $2 corpus, $3 more options
run() {
  echo "$1: $seconds seconds"
  status=0
  "$build/release/$1" -max_total_time="$seconds" -max_len=20000 -timeout=10 -report_slow_units=60 -rss_limit_mb=2048 -print_final_stats=1 ${3:-} \
    -artifact_prefix="$build/findings/" "$build/corpus/$2" "$build/seeds/$2" >"$build/$1.log" 2>&1 || status=$?
  grep -E 'FINDING|ERROR|SUMMARY' "$build/$1.log" || true
  executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$build/$1.log")
  coverage=$(grep -oE 'cov: [0-9]+ ft: [0-9]+' "$build/$1.log" | tail -n 1)
  edges=$(sed -n 's/.*(\([0-9]*\) inline 8-bit counters).*/\1/p' "$build/$1.log" | paste -sd+ | bc 2>/dev/null || true)
  echo "$1: ${executions:-0} executions, ${coverage:-cov: 0}${edges:+ of $edges edges}"
  return "$status"
}

failed=0
run FuzzFrames frames || failed=1
run FuzzCAR car || failed=1
run FuzzRuleFiles rules || failed=1
# Its rules call everything, and looking for leaks after each call takes longer than the calls; the tests look for leaks (make asan).
run FuzzEvents records -detect_leaks=0 || failed=1
if [ "$failed" = 0 ]; then echo "fuzz: no finding"; else echo "fuzz: FINDINGS in $build/findings"; fi
exit "$failed"
