"""python -m stvit_video.data explain: as a command, and what it refuses."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from stvit_video.data.__main__ import COMMAND, main


def test_as_a_command(write_video, tmp_path):
    path = write_video("c d.mp4", num_frames=25)
    command = [sys.executable, "-m", "stvit_video.data", "explain", str(path), "protocol=single", "num_frames=3"]
    done = subprocess.run([*command, "frame_stride=2", "crop_size=20"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "clip 0 (1.00 to 1.40 s): 10 12 14\n" in done.stdout
    assert done.stdout.endswith("plan.png shows them\n")
    assert (tmp_path / "plan.png").stat().st_size > 1000


def test_arguments():
    given = COMMAND.parse(["explain", "protocol=mvit", "num_crops=3", "out=a.png", "--", "x=y.mp4"])
    assert (given.file, given.protocol, given.num_crops, given.num_clips, given.out) == (
        Path("x=y.mp4"),
        "mvit",
        3,
        None,
        Path("a.png"),
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        # the whole sentence, once for its family
        (["explane", "x.mp4"], "^the first word must be explain, got 'explane'$"),
        ([], "explain, got 'nothing'"),
        (["explain"], r"FILE is missing; .*\bone\b"),
        (["explain", "a.mp4", "b.mp4"], r"\b2 words .*FILE; .*\bone\b"),
        (["explain", "a.mp4", "clips=3"], "clips is no setting; .*num_clips"),
        (["explain", "a.mp4", "num_clips=0"], r"num_clips='0' .*whole number, at least 1\b"),
    ],
)
def test_wrong_arguments(arguments, message, capsys):
    with pytest.raises(ValueError, match=message) as caught:
        COMMAND.parse(arguments)
    assert main(arguments) == 2
    assert f"error: {caught.value}" in capsys.readouterr().err


def test_exit_codes(write_video, tmp_path, capsys):
    path = write_video("x.mp4")
    assert main(["--help"]) == 0
    assert re.search("protocol=NAME +uniform, single, videoswin.*default: uniform", capsys.readouterr().out)
    assert main(["explain", str(tmp_path / "gone.mp4")]) == 1
    assert "error: can't decode" in capsys.readouterr().err
    assert main(["explain", str(path), "protocol=double"]) == 2
    assert "protocol='double' " in capsys.readouterr().err
    assert main(["explain", str(path), "num_frames=2", f"out={tmp_path}/no/plan.png"]) == 1
    assert "error: " in capsys.readouterr().err
