#!/usr/bin/env bash
# sanitize.sh address|thread: runs the test suite under a sanitizer, after proving that a planted fault is found.
set -euo pipefail
cd "$(dirname "$0")/.."

kind=${1:?address or thread}
scratch=".build-$kind"
here=$PWD
case $kind in
  address) report="AddressSanitizer: heap-use-after-free" ;;
  # An unprotected Swift variable is reported as an "access race", memory behind a pointer as a "data race".
  thread) report="WARNING: ThreadSanitizer: (data|Swift access) race" ;;
  *)
    echo "sanitize.sh: '$kind' is none of address, thread" >&2
    exit 2
    ;;
esac
export ASAN_OPTIONS="detect_leaks=1:${ASAN_OPTIONS:-}"
export LSAN_OPTIONS="suppressions=$here/tools/lsan-suppressions.txt:print_suppressions=0:${LSAN_OPTIONS:-}"
export TSAN_OPTIONS="suppressions=$here/tools/tsan-suppressions.txt:halt_on_error=0:exitcode=66:${TSAN_OPTIONS:-}"

# One test at a time, as in `make test`: a starved one proves nothing.
export OSPREY_FEEDER_SLOWNESS=4
suite=(swift test --no-parallel "--sanitize=$kind" --scratch-path "$scratch")
mkdir -p "$scratch"
log="$scratch/build.log"
echo "$kind: building (log: $log)"
if ! swift build --build-tests "--sanitize=$kind" --scratch-path "$scratch" >"$log" 2>&1; then
  grep -n 'error:' "$log" | head -n 40 >&2 || true
  tail -n 20 "$log" >&2
  exit 1
fi

echo "$kind: a planted fault must be found"
log="$scratch/planted.log"
if OSPREY_FEEDER_PLANT=$kind "${suite[@]}" --skip-build --filter SanitizerTests >"$log" 2>&1; then
  echo "$kind: the run with a planted fault succeeded; the sanitizer sees nothing (log: $log)" >&2
  exit 1
fi
if ! grep -qE "$report" "$log"; then
  echo "$kind: the planted fault was not reported as '$report' (log: $log)" >&2
  tail -n 40 "$log" >&2
  exit 1
fi
echo "$kind: found. Now the suite, where nothing may be found"
log="$scratch/suite.log"
if ! "${suite[@]}" --skip-build >"$log" 2>&1 || grep -qE '(WARNING|ERROR): [A-Za-z]+Sanitizer' "$log"; then
  echo "$kind: not clean (log: $log)" >&2
  grep -nE -A 25 '(WARNING|ERROR): [A-Za-z]+Sanitizer' "$log" | head -n 120 >&2 || true
  tail -n 40 "$log" >&2
  exit 1
fi
tail -n 1 "$log"
echo "$kind: clean"
