"""doctor: as a command on class folders and CSVs, a clear error, and the environment report's exit code."""

import csv
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from coco_maker import document, write_coco
from commands import RunCommand
from map_maker import labels_of, map_settings, write_map, write_maps

from stvit_video import doctor as module
from stvit_video.data.synthetic.dataset import encode_video
from stvit_video.doctor import main_environment


def run_afresh(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "stvit_video.doctor", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def write_folders(root: Path) -> None:
    """Two classes, train and val; one file is broken and one of train is in val too."""
    for number, name in enumerate(["train/run/a.mp4", "train/sit/b, c.mp4", "val/run/d.mp4", "val/sit/e.mp4"]):
        (root / name).parent.mkdir(parents=True)
        texture = np.random.default_rng(number).integers(40, 220, (4, 6, 3), dtype=np.uint8)
        texture = np.repeat(np.repeat(texture, 10, 0), 10, 1)  # (40, 60, 3), of large squares that survive encoding
        frames = np.stack([np.roll(texture, shift, axis=1) for shift in range(25)])
        encode_video(root / name, frames, fps=10)
    (root / "val/run/copy of a.mp4").write_bytes((root / "train/run/a.mp4").read_bytes())
    (root / "train/sit/broken.mp4").write_bytes(b"no video" * 100)


def test_command_on_class_folders(tmp_path: Path) -> None:
    write_folders(tmp_path / "my videos")
    arguments = ("data=folder", "data.root='my videos'", "num_workers=1", "num_measured=1", "short_side=32")
    done = run_afresh(tmp_path, *arguments, "hydra.run.dir=out")
    assert done.returncode == 0, done.stderr
    assert "6 files are listed (3 train, 3 val): 5 are good, 1 are not" in done.stdout
    assert "1 videos are in train and in val, byte by byte" in done.stdout
    assert "preparing, measured on 1 of your videos: a clip takes " in done.stdout
    quarantine = tmp_path / "out" / "quarantine.csv"
    assert f"train without the bad ones: data.quarantine={quarantine}" in done.stdout
    with quarantine.open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert row["path"] == str(tmp_path / "my videos/train/sit/broken.mp4")
    assert "it is not a video that ffmpeg can open" in row["reason"]
    with (tmp_path / "out" / "report.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["frames"] for row in rows] == ["25", "25", "", "25", "25", "25"]
    assert {row["gop_frames"] for row in rows} == {"12", ""}


def test_a_wrong_command_ends_in_a_sentence(run_command: RunCommand, tmp_path: Path, tiny_run: Any) -> None:
    done = run_command("stvit_video.doctor", "data=csv", f"data.train='{tiny_run.manifest}'", cwd=tmp_path)
    assert done.returncode == 2
    # the whole sentence, once for its family
    assert done.stderr == "error: there is no data.val to scan; give data.val=val.csv, or parts=[train]\n"


@pytest.mark.parametrize(("can_train", "code"), [(True, 0), (False, 1)])
def test_exit_code_of_the_environment(monkeypatch: Any, capsys: Any, can_train: bool, code: int) -> None:
    monkeypatch.setattr(module, "describe_environment", lambda: (["ok       torch: 2"], can_train))
    assert main_environment() == code
    assert capsys.readouterr().out == "ok       torch: 2\n"


def test_a_fault_in_the_annotations_is_the_exit_status(run_command: RunCommand, tmp_path: Path) -> None:
    root = write_coco(tmp_path / "set", documents={"val": document(annotations=[])})
    arguments = ("data=coco", f"data.root='{root}'", "num_workers=1", "hydra.run.dir=out")
    done = run_command("stvit_video.doctor", *arguments, cwd=tmp_path)
    assert "fault: none of the 3 val pictures has an object" in done.stdout
    assert (done.returncode, done.stderr) == (1, "")
    done = run_command("stvit_video.doctor", *arguments, "parts=[train]", cwd=tmp_path)
    assert "no fault in the annotations" in done.stdout
    assert done.returncode == 0


def test_a_fault_in_label_maps_is_the_exit_status(run_command: RunCommand, tmp_path: Path) -> None:
    root = write_maps(tmp_path / "set")
    write_map(root / "maps/val/b.png", labels_of((75, 40)) // 9)
    write_map(root / "maps/train/c.png", labels_of((20, 31)))
    write_map(root / "maps/train/d.png", labels_of((20, 31)))
    data = [f"data.{name}='{place}'" for name, place in map_settings(root).items()]
    arguments = ("data=label_maps", *data, "num_workers=1", "hydra.run.dir=out")
    done = run_command("stvit_video.doctor", *arguments, cwd=tmp_path)
    assert "fault: 1 of 4 train label maps have no picture of the same name in " in done.stdout
    assert re.search(r"fault: 1 of 3 train label maps .* another size than their picture, first: .*c.jpg", done.stdout)
    assert "fault: 1 of 3 val label maps that were looked at have values of no class, 28 (" in done.stdout
    assert (done.returncode, done.stderr) == (1, "")
