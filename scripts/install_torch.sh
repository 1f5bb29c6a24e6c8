#!/bin/sh
# Installs the torch of locks/torch.txt into an environment that has the rest of its lock, uv included.
#
#   scripts/install_torch.sh PYTHON [BUILD]     BUILD: cpu (the default), cu128 and so on, or auto (what the driver can run)
#
# By version and not by hash: see scripts/lock.py. uv knows where the builds are; the one without CUDA is 200 MB. Where that
# place is out of reach, pip takes what the packages' ordinary source has, which may be the build with CUDA (3 GB).
set -eu
cd "$(dirname "$0")/.."
export UV_HTTP_TIMEOUT=30 UV_HTTP_RETRIES=1
"$1" -m uv pip install --quiet --python "$1" --torch-backend "${2:-cpu}" -r locks/torch.txt ||
  { printf 'that build of torch is out of reach; taking the one that pip finds\n' >&2
    "$1" -m pip --no-input --disable-pip-version-check install --no-cache-dir --no-compile --progress-bar off -r locks/torch.txt; }
