#!/usr/bin/env bash
# Installs the Debian packages that building, testing and reading the topics need, if any is missing, and says so.
# Silent where everything is there. Uses root, else sudo.
set -euo pipefail

# Libraries of Package.swift; their headers; what reads the topics; what the build and the tools call.
packages=(
  librdkafka-dev liblua5.4-dev libssl-dev libsecp256k1-dev libzstd-dev libicu-dev libpsl-dev
  pkg-config g++ kcat make git python3 ca-certificates
)

if ! command -v swift >/dev/null; then
  echo "deps: no 'swift' on the PATH; try: install Swift 6.2 or newer from https://www.swift.org/install/linux/" >&2
  exit 2
fi

if ! command -v dpkg-query >/dev/null; then
  echo "deps: this is not Debian; these packages, or what they are called here, have to be there: ${packages[*]}" >&2
  exit 0
fi

# A toolchain that was only unpacked may lack the libraries its own programs are linked with.
swift build --version >/dev/null 2>&1 || packages+=(libcurl4 libxml2)

missing=()
for package in "${packages[@]}"; do
  status=$(dpkg-query --show --showformat='${db:Status-Status}' "$package" 2>/dev/null || true)
  [ "$status" = installed ] || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null; then
    echo "deps: missing Debian packages: ${missing[*]}" >&2
    echo "deps: neither root nor sudo is at hand; try as root: apt-get install ${missing[*]}" >&2
    exit 2
  fi
  root=(sudo)
fi

apt=("${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300)
echo "deps: installing missing Debian packages: ${missing[*]}"
"${apt[@]}" update
"${apt[@]}" install --yes --no-install-recommends "${missing[@]}" >/dev/null
if ! swift build --version >/dev/null; then
  echo "deps: 'swift build' does not run; try: swift build --version" >&2
  exit 2
fi
echo "deps: done"
