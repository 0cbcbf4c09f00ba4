"""Commands on a machine that lacks something: shared memory, open files, or the patience to wait for busy processes."""

import json
import resource
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from real_data import real_file
from small_memory import run_in_small_memory

pytestmark = pytest.mark.commands

TRAINING = """data=csv data.num_frames=16 data.frame_stride=1 data.short_side=64 data.crop_size=64 data.batch_size=2
    data.num_workers=2 model=stvit_video_deit_tiny model.patch_size=16 model.embed_dim=8 model.num_heads=2 model.depth=4
    model.generate_at=1 model.num_tokens=4 trainer=cpu trainer.max_epochs=1 trainer.enable_progress_bar=false"""


def last_line(text: str) -> str:
    return text.strip().splitlines()[-1]


def test_evaluation_in_small_shared_memory(tiny_run, tmp_path):
    words = ["-m", "stvit_video.evaluate", f"ckpt_path='{tiny_run.checkpoint}'", "num_clips=40", "batch_size=3"]
    done = run_in_small_memory("400k", *words, "num_workers=2", "hydra.run.dir=out", cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "lower num_workers or batch_size, or use num_workers=0" in last_line(done.stderr)
    assert "/dev/shm" in last_line(done.stderr)
    done = run_in_small_memory("400k", *words, "num_workers=0", "hydra.run.dir=out", cwd=tmp_path)  # as it advises
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "out" / "result.json").is_file()


@pytest.mark.parametrize("size", ["300k", "4k"])
def test_training_in_small_shared_memory(tiny_run, tmp_path, size):
    lists = [f"data.train='{tiny_run.manifest}'", f"data.val='{tiny_run.manifest}'"]
    words = ["-m", "stvit_video.train", *TRAINING.split(), *lists, "hydra.run.dir=out"]
    done = run_in_small_memory(size, *words, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    told = done.stderr[done.stderr.index("error: ") :]
    assert "lower data.num_workers or data.batch_size, or use data.num_workers=0" in told
    assert "Traceback" not in told


def test_prediction_needs_no_shared_memory(tiny_run, tmp_path):
    words = [f"ckpt_path={tiny_run.checkpoint}", "--", str(tiny_run.videos[1])]
    done = run_in_small_memory("4k", "-m", "stvit_video.predict", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr


BUSY = """
import os, signal, sys, time
from stvit_video.data.loading.view_dataset import ViewDataset
def sleep(self, index):
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
    os.write(1, b"busy\\n")  # in one piece: three processes write at a time
    time.sleep(200)
ViewDataset.__getitem__ = sleep
from stvit_video.config.hydra_app import run_command
from stvit_video.evaluate import COMMAND, main
run_command(main, COMMAND, config_name="evaluate")
"""


def test_ctrl_c_ends_an_evaluation_whose_processes_are_busy(tiny_run, tmp_path):
    words = [f"ckpt_path='{tiny_run.checkpoint}'", "num_workers=3", "batch_size=1", "hydra.run.dir=out"]
    command = [sys.executable, "-c", BUSY, *words]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as run:
        assert [run.stdout.readline() for _ in range(3)] == ["busy\n"] * 3
        time.sleep(2)  # Python loses a signal while it forks, and the last process may be busy before that has ended
        run.send_signal(signal.SIGINT)
        start = time.monotonic()
        try:
            assert run.wait(timeout=60) == 130
        finally:
            run.kill()
    assert time.monotonic() - start < 10


def with_few_files(number):
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))


@pytest.mark.parametrize("num_workers", [12, 30])
def test_evaluation_with_few_open_files(tiny_run, tmp_path, num_workers):
    words = [f"ckpt_path='{tiny_run.checkpoint}'", f"num_workers={num_workers}", "hydra.run.dir=out"]
    command = [sys.executable, "-m", "stvit_video.evaluate", *words]
    limited = with_few_files(40)
    done = subprocess.run(
        command, cwd=tmp_path, capture_output=True, text=True, check=False, preexec_fn=limited, timeout=100
    )
    assert done.returncode == 1, done.stderr
    assert "may have 40 at a time" in last_line(done.stderr)
    assert "`ulimit -n 4096`" in last_line(done.stderr)


@pytest.mark.real_data
def test_2500_classes_are_evaluated(tmp_path):
    """What many classes cost is the evaluation, its tables and its picture."""
    manifest: Path = real_file("data", "field_cases", "many_small", "list.csv")
    small = [
        "data.num_frames=2",
        "data.short_side=18",
        "data.crop_size=16",
        "model.patch_size=8",
        "data.batch_size=128",
    ]
    protocol = ["protocol.num_clips=1", "protocol.num_crops=1", "run=null", "hydra.run.dir=out"]
    words = [*TRAINING.split(), *small, *protocol, f"data.train='{manifest}'", f"data.val='{manifest}'"]
    command = [sys.executable, "-m", "stvit_video.train", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=280)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out" / "result.json").read_text())["num_classes"] == 2500
    assert (tmp_path / "out" / "confusion_matrix.png").stat().st_size < 20e6
