"""Bundles where torch can't be imported: blocked here, and in an environment that has never had it."""

import os
import re
import subprocess
import sys
from pathlib import Path

import av
import numpy as np
import pytest
from linear_bundle import ONNXRUNTIME, onnxruntime_stand_in, write_linear_bundle, write_linear_stream

from stvit_video.bundles.bundle_recognizer import load_bundle
from stvit_video.streaming.step_table import read_steps
from stvit_video.streaming.streaming_recognizer import StreamingRecognizer

REPOSITORY = Path(__file__).parents[1]
BLOCKED = (
    *("torch", "torchvision", "lightning", "torchmetrics", "matplotlib", "rich", "PIL", "pyarrow", "pydantic"),
    *("hydra", "omegaconf", "tqdm", "fsspec", "safetensors", "scipy"),
)
BLOCK = f"""
import sys
for name in {BLOCKED}:
    sys.modules[name] = None
"""
LABEL = f"""{BLOCK}
import stvit_video
from stvit_video.predict import main
folder, video, table = sys.argv[1:]
told = stvit_video.load(folder)(video)
print(told.label, *told.probabilities)
sys.exit(main([f"bundle={{folder}}", f"out={{table}}", "--", video]))
"""
COMMANDS = ("train", "evaluate", "export", "export_run", "budget", "benchmark", "ledger", "sweep", "data")
STREAM = f"""{BLOCK}
from stvit_video.stream import main
sys.exit(main(sys.argv[1:]))
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Lets other processes, and this one, take the stand-in for onnxruntime."""
    (tmp_path / "stand-in").mkdir()
    (tmp_path / "stand-in" / "onnxruntime.py").write_text(ONNXRUNTIME)
    monkeypatch.setenv("PYTHONPATH", f"{REPOSITORY}:{tmp_path / 'stand-in'}")
    monkeypatch.setitem(sys.modules, "onnxruntime", onnxruntime_stand_in())


def test_load_and_predict_need_numpy_av_and_the_runtime_alone(tmp_path, tiny_run, stand_in):
    folder, video = write_linear_bundle(tmp_path / "b"), tiny_run.videos[0]
    command = [sys.executable, "-c", LABEL, str(folder), str(video), str(tmp_path / "x.csv")]
    run = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    told = load_bundle(folder)(video)
    label, *probabilities = run.stdout.splitlines()[0].rsplit(maxsplit=3)
    assert label == told.label
    np.testing.assert_allclose([float(value) for value in probabilities], told.probabilities, rtol=1e-5)
    assert told.label.split(",")[0] in (tmp_path / "x.csv").read_text()


def test_a_stream_needs_numpy_av_and_the_runtime_alone(tmp_path, tiny_run, stand_in):
    folder, video, out = write_linear_stream(tmp_path / "b"), tiny_run.videos[0], tmp_path / "seen"
    words = [f"bundle={folder}", f"source={video}", f"out={out}", "stride_frames=2", "num_threads=1"]
    run = subprocess.run([sys.executable, "-c", STREAM, *words], capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == 0, run.stderr
    assert re.search(r"timeline\.png could not be drawn .*pip install matplotlib", run.stderr)
    assert sorted(path.name for path in out.iterdir()) == ["events.jsonl", "events.vtt", "steps.csv", "stream.json"]
    with av.open(str(video)) as container:
        frames = [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    recognizer = StreamingRecognizer(folder, stride_frames=2)
    expected = [recognizer.probabilities(logits) for _, logits in recognizer.push(np.stack(frames[::2]))]
    _, steps = read_steps(out / "steps.csv")
    assert [step.seconds for step in steps] == [0.6, 1.0, 1.4, 1.8, 2.2]
    np.testing.assert_allclose([step.probabilities for step in steps], expected, atol=1e-6)
    assert np.ptp(expected, axis=0).max() > 0.01


@pytest.fixture
def without(tmp_path):
    """Starts `python -m stvit_video...` where the libraries of training are missing."""
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(BLOCK)
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path / 'site'}:{REPOSITORY}"}

    def start(module, *words):
        command = [sys.executable, "-m", module, *words]
        return subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, env=environment)

    return start


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_that_needs_what_is_missing_names_it(without, name):
    run = without(f"stvit_video.{name}", "--help")
    assert (run.returncode, run.stdout) == (1, "")
    assert re.fullmatch(
        r"error: this command needs the library '(torch|hydra|omegaconf)', which is not installed here; install it "
        r"with: pip install stvit-video, in a clone pip install \.\n",
        run.stderr,
    )


def test_with_debug_the_traceback_is_shown(without):
    run = without("stvit_video.export", "--debug")
    assert run.returncode == 1
    assert "Traceback" in run.stderr


def test_the_doctor_lists_what_is_there_without_what_it_looks_for(without):
    run = without("stvit_video.doctor", "env")
    assert (run.returncode, run.stderr) == (1, "")
    for line in (r"ok       av: [\d.]+", "MISSING  torch: ", "MISSING  hydra: ", "training can NOT run here"):
        assert re.search(rf"^{line}", run.stdout, re.MULTILINE), run.stdout
    assert without("stvit_video").stdout.splitlines()[-1].startswith("predict and stream with bundle=, and doctor env")
