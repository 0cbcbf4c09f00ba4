"""The folder that the pages' commands run in, and how a page is run from its top to its end."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fork_server import write_shims
from page_blocks import COMPOSE, DEPLOY, NOT_RUN, Block, blocks_of
from page_commands import command_faults

from stvit_video.data.synthetic.dataset import encode_video
from stvit_video.data.synthetic.drawing import draw_clip

REPOSITORY = Path(__file__).parents[2]
CLASSES = ("move_left", "pulse", "rotate")
NUM_CLIPS = 8  # of a class
TIME_LIMIT_SECONDS = 120.0  # of a block
DEMO = (
    *("data=csv", "data.train=train.csv", "data.val=val.csv", "run=demo", "model=stvit_video_deit_tiny"),
    *("data.num_frames=8", "data.frame_stride=2", "data.short_side=32", "data.crop_size=32", "data.num_workers=0"),
    *("model.patch_size=8", "model.embed_dim=24", "model.num_heads=2", "model.depth=4", "model.generate_at=1"),
    *("model.num_tokens=16", "data.batch_size=8", "trainer=cpu", "trainer.max_epochs=2", "optim.warmup_epochs=0"),
)


@dataclass(frozen=True)
class Shell:
    """Where commands run: the folder of the shims, which is first on the PATH."""

    shims: Path

    def run(self, text: str, *, cwd: Path, more: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Run a piece of bash, which ends at its first failure; what it prints comes back as one text."""
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY), "DOCS_TEST_MORE": json.dumps(more)}
        environment["PATH"] = f"{self.shims}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        environment["DOCS_TEST_TRAINS"] = "1" if "stvit_video.train" in text else ""
        command = ["bash", "-euo", "pipefail", "-c", text]
        with (cwd / ".output").open("w+", encoding="utf-8") as output:
            try:
                done = subprocess.run(
                    command, cwd=cwd, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                    stderr=subprocess.STDOUT, timeout=TIME_LIMIT_SECONDS, check=False
                )  # fmt: skip
                status = done.returncode
            except subprocess.TimeoutExpired:
                status = 124
        told = (cwd / ".output").read_text(encoding="utf-8", errors="replace")
        (cwd / ".output").unlink()
        return subprocess.CompletedProcess(command, status, told)


@pytest.fixture(scope="session")
def shell() -> Iterator[Shell]:
    """A shell whose `python` has the imports of our commands behind it."""
    with tempfile.TemporaryDirectory(prefix="shims") as folder:  # a short name: an address has 108 bytes at most
        address = f"{folder}/address"
        command = [sys.executable, str(Path(__file__).with_name("fork_server.py")), address]
        environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as server:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            write_shims(Path(folder), address=address)
            yield Shell(Path(folder))
            server.kill()


@pytest.fixture(scope="session")
def shown_folder(tmp_path_factory: pytest.TempPathFactory, shell: Shell) -> Path:
    """What a reader has at the top of a page: videos of three classes, lists of them, and a small trained run."""
    root = tmp_path_factory.mktemp("reader")
    for number, class_name in enumerate(CLASSES):
        (root / "my_videos" / class_name).mkdir(parents=True)
        for index in range(NUM_CLIPS):
            _write_clip(root / "my_videos" / class_name / f"{class_name}_{index}.mp4", class_name, seed=[number, index])
    shutil.copytree(root / "my_videos", root / "my videos")
    (root / "videos").mkdir()
    for index in range(6):
        _write_clip(root / "videos" / f"clip_{index}.mp4", CLASSES[index % 3], seed=[7, index])
    shutil.copy(root / "videos" / "clip_0.mp4", root / "video.mp4")
    for name, indices in {"train": range(5), "val": range(5, 7), "test": range(7, 8)}.items():
        rows = [f"my_videos/{label}/{label}_{index}.mp4,{label}" for index in indices for label in CLASSES]
        (root / f"{name}.csv").write_text("\n".join(["path,label", *rows, ""]))
    (root / "scripts").symlink_to(REPOSITORY / "scripts")
    done = shell.run(f"python -m stvit_video.train {' '.join(DEMO)}", cwd=root)
    assert done.returncode == 0, done.stdout[-3000:]
    return root


def _write_clip(path: Path, class_name: str, *, seed: list[int]) -> None:
    rng = np.random.default_rng(seed)
    encode_video(path, draw_clip(class_name, rng=rng, num_frames=16, height=64, width=64), fps=12)


def run_page(page: str, *, name: str, shell: Shell, cwd: Path, deploys: bool = False) -> list[str]:
    """Run a page as a reader would, in the current folder, and end at the first block that fails.

    Args:
        page: its text.
        name: of its file, for messages and tracebacks.
        shell: for blocks of bash.
        cwd: the working folder, which is the current one already.
        deploys: True = the deployment libraries are here, and the blocks that need them are run, without the others.

    Returns:
        A sentence, or none.
    """
    namespace: dict[str, Any] = {"__name__": "shown"}
    for block in blocks_of(page):
        if block.language not in ("bash", "python") or block.mode == NOT_RUN or (deploys and block.mode != DEPLOY):
            continue
        is_composed = not deploys and block.mode in (COMPOSE, DEPLOY)
        if block.language == "python":
            told = "" if is_composed else _run_python(block, namespace, name)
        else:
            told = "\n".join(command_faults(block.text)) if is_composed else _run_bash(block, shell, cwd)
        if told:
            return [f"{name}, line {block.line}:\n{block.text}\n{told}"]
    return []


def _run_bash(block: Block, shell: Shell, cwd: Path) -> str:
    done = shell.run(block.text, cwd=cwd, more=block.more)
    return f"status {done.returncode}, after\n{done.stdout[-4000:]}" if done.returncode else ""


def _run_python(block: Block, namespace: dict[str, Any], name: str) -> str:
    try:
        exec(compile("\n" * (block.line - 1) + block.text, name, "exec"), namespace)
    except Exception:
        return traceback.format_exc()
    return ""
