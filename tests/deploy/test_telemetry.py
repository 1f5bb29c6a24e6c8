"""Nothing is reported to anybody: our processes let onnxruntime make no identifier and no queue of reports."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
OPEN_SESSION = """
import importlib
import sys
importlib.import_module(sys.argv[1])
import onnxruntime
from onnx import TensorProto, helper
x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1]) for name in "xy")
graph = helper.make_graph([helper.make_node("Abs", ["x"], ["y"])], "abs", [x], [y])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
"""


def files_after(module: str, home: Path) -> list[str]:
    """What a process that imports `module` and opens a session leaves in its home."""
    # some of these would switch reports off by themselves
    kept = {key: value for key, value in os.environ.items() if key in ("PATH", "LD_LIBRARY_PATH")}
    subprocess.run(
        [sys.executable, "-c", OPEN_SESSION, module],
        cwd=ROOT,
        env={**kept, "HOME": str(home), "TMPDIR": str(home), "PYTHONDONTWRITEBYTECODE": "1"},
        check=True,
    )
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())


@pytest.mark.parametrize("module", ["rtp_receiver.turn_model", "intent_service.encoder", "audio_prompts.kokoro"])
def test_onnxruntime_reports_nothing(module: str, tmp_path: Path) -> None:
    assert files_after(module, tmp_path) == []
