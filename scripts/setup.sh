#!/bin/sh
# Make .venv with the locked packages and .pronto with Asterisk, Redis, espeak-ng and PostgreSQL. No root, nothing outside this folder.
#
#   scripts/setup.sh
#
# One line per step; a step that is done is skipped, so that a second run says nothing. A change of locks/ or of the Python
# brings .venv up to date. What pip says lies in .venv/pip.log and is shown when it fails.
#
# Environment:
#   PYTHON        the Python to use (3.11 to 3.14); by default the first one of python3.11, python3.12, python3.13, python3
#   TORCH         also install what needs torch (training the demo speech model, exporting another sentence encoder), and
#                 which build of it: cpu, cu128 and so on, or auto (what the machine's driver can run). Nothing that runs needs it
set -eu
TORCH=${TORCH:-}
cd "$(dirname "$0")/.."
if [ -n "$TORCH" ]; then LOCK=locks/all.txt; else LOCK=locks/dev.txt; fi
LOG=.venv/pip.log

say() { printf '[setup] %s\n' "$*" >&2; }
fail() { printf '[setup] error: %s\n' "$*" >&2; exit 1; }

usable() { "$1" -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1; }

choose_python() {
  if [ -n "${PYTHON:-}" ]; then
    usable "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.11 to 3.14 with the module venv"
    echo "$PYTHON"
    return
  fi
  for candidate in python3.11 python3.12 python3.13 python3; do
    if usable "$candidate"; then echo "$candidate"; return; fi
  done
  fail "no Python 3.11 to 3.14 found: install it (Debian 12: apt-get install python3) or set PYTHON"
}

# Debian's Python comes without ensurepip unless python3-venv is installed: then pip is fetched as a package.
make_venv() {
  say "making .venv with $("$1" -V)"
  if "$1" -m ensurepip --version >/dev/null 2>&1; then
    "$1" -m venv .venv
  else
    "$1" -m venv --without-pip .venv
    sh scripts/fetch_packages.sh pip
    .venv/bin/python "$(readlink -f .pronto/pip/pip.whl)/pip" -q install --no-index --no-deps "$(readlink -f .pronto/pip/pip.whl)"
  fi
}

# Modules are compiled when they are first imported: most never are, and compiling them all takes a minute.
pip_install() {
  .venv/bin/python -m pip --disable-pip-version-check --no-input install --no-compile --progress-bar off "$@" > "$LOG" 2>&1 ||
    { tail -n 30 "$LOG" >&2; fail "pip could not install $* (whole log: $LOG)"; }
}

torch_is_there() {
  wanted=$(sed -n 's/^torch==//p' locks/torch.txt)
  have=$(.venv/bin/python -c 'import importlib.metadata; print(importlib.metadata.version("torch"))' 2>/dev/null || true)
  [ "${have%%+*}" = "$wanted" ]
}

stamp() { cat "$LOCK" locks/torch.txt pyproject.toml scripts/setup.sh scripts/install_torch.sh | sha256sum | cut -d ' ' -f 1; }

if ! [ -f .venv/.pronto-stamp ] || [ "$(cat .venv/.pronto-stamp)" != "$(stamp)" ] || ! .venv/bin/python -c '' 2>/dev/null; then
  if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    chosen=$(choose_python)
    rm -rf .venv
    make_venv "$chosen"
  fi
  rm -f .venv/.pronto-stamp
  # every file is checked against the hashes of the lock, which is complete: nothing else is looked for
  say "installing $(grep -c == $LOCK) locked Python packages (200 MB to download the first time)"
  pip_install --require-hashes --no-deps -r $LOCK
  if [ -n "$TORCH" ] && ! torch_is_there; then
    say "installing torch (200 MB to download, up to 3 GB where only a build with CUDA is within reach)"
    sh scripts/install_torch.sh .venv/bin/python "$TORCH" > "$LOG" 2>&1 ||
      { tail -n 30 "$LOG" >&2; fail "torch could not be installed (whole log: $LOG)"; }
  fi
  # the command `pronto`: this folder, as it is
  pip_install --no-deps --no-build-isolation --no-index --editable .
  stamp > .venv/.pronto-stamp
fi

.venv/bin/python -m compiled.build
sh scripts/fetch_packages.sh
sh scripts/fetch_turn_model.sh || true # optional: it says itself what is missing then
sh scripts/fetch_whisper.sh || true # so is this; PRONTO_SMALL=1 leaves it out
