"""The media plane: RTP in, utterances out."""

import os

# onnxruntime reports what it does to its maker unless this is set before it is imported
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
