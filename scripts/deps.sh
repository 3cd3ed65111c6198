#!/bin/sh
# Installs the Debian packages that building, demo and tests need and that are missing.
# usage: deps.sh build|check|bench   (check adds what only the tests use, bench what only the peers use)
set -eu

build="gcc g++ libc6-dev make pkg-config libpcsclite-dev"
check="$build curl pcscd vsmartcard-vpcd valgrind iproute2 util-linux libwbxml2-utils opensc tshark vsmartcard-vpicc python3-virtualsmartcard python3-pycryptodome python3 python3-cryptography"
bench="$build valgrind libwbxml2-dev libxml2-dev"

case ${1:-build} in
    build) wanted=$build ;;
    check) wanted=$check ;;
    bench) wanted=$bench ;;
    *) echo "usage: $0 build|check|bench" >&2; exit 2 ;;
esac

# The crates need Rust 1.90; Debian's rustc-web package is recent where its rustc is not.
new_enough() {
    command -v cargo >/dev/null 2>&1 || return 1
    version=$(rustc --version 2>/dev/null | awk '{print $2}')
    major=${version%%.*}; rest=${version#*.}; minor=${rest%%.*}
    [ "${major:-0}" -gt 1 ] || { [ "${major:-0}" -eq 1 ] && [ "${minor:-0}" -ge 90 ]; }
}
new_enough || wanted="$wanted cargo-web rustc-web rust-web-clippy rustfmt-web"

missing=
for package in $wanted; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' ||
        missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if ! command -v apt-get >/dev/null 2>&1; then
    echo "please install the counterparts of these Debian packages:$missing" >&2
    exit 1
fi
as_root=
if [ "$(id -u)" -ne 0 ]; then
    as_root="sudo -n"
    $as_root true 2>/dev/null || { echo "please run as root: apt-get install$missing" >&2; exit 1; }
fi
echo "installing:$missing"
$as_root apt-get update -qq
# shellcheck disable=SC2086  # the list is meant to be split
$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
new_enough || { echo "Rust 1.90 or newer is needed and not in this Debian release" >&2; exit 1; }
