"""Bundles where torch can't be imported: blocked here, and in an environment that has never had it."""

import subprocess
import sys
from pathlib import Path

import numpy as np
from linear_bundle import ONNXRUNTIME, onnxruntime_stand_in, write_linear_bundle

from stvit_video.bundles.bundle_recognizer import load_bundle

REPOSITORY = Path(__file__).parents[1]
BLOCKED = (
    *("torch", "torchvision", "lightning", "torchmetrics", "matplotlib", "rich", "PIL", "pyarrow", "pydantic"),
    *("hydra", "omegaconf", "tqdm", "fsspec", "safetensors", "scipy"),
)
LABEL = f"""
import sys
for name in {BLOCKED}:
    sys.modules[name] = None
import stvit_video
from stvit_video.predict import main
folder, video, table = sys.argv[1:]
told = stvit_video.load(folder)(video)
print(told.label, *told.probabilities)
sys.exit(main([f"bundle={{folder}}", f"out={{table}}", "--", video]))
"""


def test_load_and_predict_need_numpy_av_and_the_runtime_alone(tmp_path, tiny_run, monkeypatch):
    folder, video = write_linear_bundle(tmp_path / "b"), tiny_run.videos[0]
    (tmp_path / "stand-in").mkdir()
    (tmp_path / "stand-in" / "onnxruntime.py").write_text(ONNXRUNTIME)
    monkeypatch.setenv("PYTHONPATH", f"{REPOSITORY}:{tmp_path / 'stand-in'}")
    command = [sys.executable, "-c", LABEL, str(folder), str(video), str(tmp_path / "x.csv")]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    monkeypatch.setitem(sys.modules, "onnxruntime", onnxruntime_stand_in())
    told = load_bundle(folder)(video)
    label, *probabilities = run.stdout.splitlines()[0].rsplit(maxsplit=3)
    assert label == told.label
    np.testing.assert_allclose([float(value) for value in probabilities], told.probabilities, rtol=1e-5)
    assert told.label.split(",")[0] in (tmp_path / "x.csv").read_text()
