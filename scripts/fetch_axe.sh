#!/bin/sh
# Get axe-core (MPL-2.0), which tells what a page lacks for keyboards, screen readers and eyes, into .pronto/axe/: for
# tests/text/test_page.py, never shipped.
#
#   scripts/fetch_axe.sh
#
# One package of npm (0.7 MB), checked against its hash and read, never installed. A second run does nothing.
set -eu
cd "$(dirname "$0")/.."

PACKAGE=axe-core@4.14.1
SHA256=e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745
TARGET=.pronto/axe

fail() { printf '[axe] error: %s\n' "$*" >&2; exit 1; }

[ -f "$TARGET/.whole" ] && [ "$(cat "$TARGET/.whole")" = "$SHA256" ] && exit 0
command -v npm >/dev/null || fail "npm is needed (Debian: apt-get install npm)"
STEP=.pronto/.axe.$$
trap 'rm -rf "$STEP"' EXIT
trap 'exit 130' INT TERM HUP
mkdir -p "$STEP"
(cd "$STEP" && npm pack --silent "$PACKAGE" > npm.log 2>&1) || fail "not to be had: $(tail -n 1 "$STEP/npm.log")"
archive=$(ls "$STEP"/axe-core-*.tgz)
[ "$(sha256sum < "$archive" | cut -d ' ' -f 1)" = "$SHA256" ] || fail "$PACKAGE is not the package that is known"
tar -xzf "$archive" -C "$STEP" package/axe.min.js package/LICENSE
printf '%s' "$SHA256" > "$STEP/package/.whole"
rm -rf "$TARGET"
mv "$STEP/package" "$TARGET"
