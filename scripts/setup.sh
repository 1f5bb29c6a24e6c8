#!/bin/sh
# Make .venv with the pinned packages and .pronto with Asterisk, Redis and espeak-ng. No root, nothing outside this folder.
#
#   scripts/setup.sh
#
# A second run finds its stamp and does nothing. A change of requirements*.txt, constraints.txt or of the Python brings .venv up to date.
#
# Environment:
#   PYTHON        the Python to use (3.11 or newer); by default the first one of python3.11, python3.12, python3.13, python3
#   TORCH_INDEX   where torch without CUDA is to be had; by default PyTorch's own index
set -eu
TORCH_INDEX=${TORCH_INDEX:-https://download.pytorch.org/whl/cpu}
cd "$(dirname "$0")/.."

say() { printf '[setup] %s\n' "$*" >&2; }
fail() { printf '[setup] error: %s\n' "$*" >&2; exit 1; }

usable() { "$1" -c 'import sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

choose_python() {
  if [ -n "${PYTHON:-}" ]; then
    usable "$PYTHON" || fail "PYTHON=$PYTHON is not a Python 3.11 or newer with the module venv"
    echo "$PYTHON"
    return
  fi
  for candidate in python3.11 python3.12 python3.13 python3; do
    if usable "$candidate"; then echo "$candidate"; return; fi
  done
  fail "no Python 3.11 or newer found: install it (Debian 12: apt-get install python3) or set PYTHON"
}

# Debian's Python comes without ensurepip unless python3-venv is installed: then pip is fetched as a package.
make_venv() {
  say "making .venv with $("$1" -V) ..."
  if "$1" -m ensurepip --version >/dev/null 2>&1; then
    "$1" -m venv .venv
  else
    "$1" -m venv --without-pip .venv
    sh scripts/fetch_packages.sh pip
    .venv/bin/python "$(readlink -f .pronto/pip/pip.whl)/pip" -q install --no-index --no-deps "$(readlink -f .pronto/pip/pip.whl)"
  fi
}

# modules are compiled when they are first imported: most never are, and compiling them all takes a minute
pip_install() { .venv/bin/python -m pip --disable-pip-version-check --no-input install --no-compile --progress-bar off "$@"; }

# torch runs the sentence encoder, which is small: the build without CUDA is 200 MB, the one that a plain install takes is
# 3 GB. Where the index of the small builds is out of reach, the large one does as well.
install_torch() {
  wanted=$(sed -n 's/^torch==//p' requirements.txt)
  [ -n "$wanted" ] || return 0
  have=$(.venv/bin/python -c 'import importlib.metadata; print(importlib.metadata.version("torch"))' 2>/dev/null || true)
  [ "${have%%+*}" != "$wanted" ] || return 0
  say "  torch $wanted without CUDA (200 MB) ..."
  pip_install -q --retries 1 --timeout 15 --no-deps --index-url "$TORCH_INDEX" "torch==$wanted" > .venv/pip-torch.log 2>&1 ||
    say "  not to be had from $TORCH_INDEX: taking the build with CUDA (3 GB)"
}

# pip prints a line per package; we show what it downloads and builds, and all of it when it fails
install_requirements() {
  log=.venv/pip.log
  {
    pip_install -c constraints.txt -r requirements.txt -r requirements-dev.txt 2>&1 && echo done > .venv/pip.ok
  } | tee "$log" | sed -un -e 's/^ *Downloading \([^ ]*\/\)\{0,1\}\([^ ]* *(.*)\).*/[setup]   \2/p' \
    -e 's/^Installing collected packages.*/[setup] unpacking .../p' >&2
  [ -f .venv/pip.ok ] || { tail -n 30 "$log" >&2; fail "pip could not install the pinned packages (whole log: $log)"; }
}

stamp() { cat requirements.txt requirements-dev.txt constraints.txt scripts/setup.sh | sha256sum | cut -d ' ' -f 1; }

for file in requirements.txt requirements-dev.txt constraints.txt; do [ -f $file ] || fail "$file is missing"; done

if ! [ -f .venv/.pronto-stamp ] || [ "$(cat .venv/.pronto-stamp)" != "$(stamp)" ] || ! .venv/bin/python -c '' 2>/dev/null; then
  if ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
    chosen=$(choose_python)
    rm -rf .venv
    make_venv "$chosen"
  fi
  say "installing the pinned Python packages (about 600 MB to download the first time) ..."
  rm -f .venv/.pronto-stamp .venv/pip.ok
  install_torch
  install_requirements
  stamp > .venv/.pronto-stamp
  say "Python packages: ready"
fi

sh scripts/fetch_packages.sh
sh scripts/fetch_turn_model.sh || true # optional: it says itself what is missing then
