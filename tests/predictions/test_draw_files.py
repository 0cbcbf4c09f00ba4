"""Named files through a drawer of a test: order, names, faults, stops; the two tasks have tests of their own."""

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from untrained_run import write_drifting

from stvit_video.predictions.draw_files import Drawn, check_settings, draw_files, folder_of_drawings
from stvit_video.visualization.overlay_frames import OverlayOutcome

LINES = Drawn("finds lines", "lines", (".png", "_more.png"))


class Noting:
    """Notes what it is asked for."""

    def __init__(self, folder, *, stop_at=None, error=""):
        self.folder, self.stop_at, self.error, self.asked = folder, stop_at, error, []

    def draw_picture(self, pixels, path, name):
        if name == self.stop_at:
            raise KeyboardInterrupt
        self.asked.append((Path(path).name, name, pixels.shape))
        (self.folder / f"{name}.png").touch()
        return f"{name} is drawn"

    def draw_video(self, path, name, report):
        report(4)
        self.asked.append((Path(path).name, name, None))
        return OverlayOutcome(self.folder / f"{name}.mp4", self.folder / "x", 4, 9, self.error, ("odd",))


@pytest.fixture
def files(tmp_path):
    for name, size in (("b.png", (7, 5)), ("a_more.png", (3, 4)), ("a.jpg", (8, 9))):
        Image.fromarray(np.zeros((*size, 3), dtype=np.uint8)).save(tmp_path / name)
    write_drifting(tmp_path / "street.mp4", seed=0, num_frames=3)
    return tmp_path


def test_every_file_is_drawn_under_a_name_of_its_own(files, capsys):
    drawer = Noting(files / "out")
    assert draw_files(drawer, [str(files)], checkpoint=files / "a.ckpt", folder=files / "out", drawn=LINES) == 0
    assert {(name, shape) for name, _, shape in drawer.asked} == {
        *(("a.jpg", (8, 9, 3)), ("a_more.png", (3, 4, 3)), ("b.png", (7, 5, 3)), ("street.mp4", None)),
    }
    results = [f"{name}{ending}" for _, name, _ in drawer.asked for ending in LINES.endings]
    assert len(set(results)) == 8  # though a.jpg and a_more.png could share one
    assert {name for _, name, _ in drawer.asked} > {"b", "street"}
    told = capsys.readouterr()
    assert "b.png: b is drawn" in told.out
    assert "street.mp4: 4 of 9 frames, " in told.out
    assert re.search(r"out: lines of 4 files; ", told.out)
    assert "note: " in told.err


def test_what_can_not_be_read_is_counted(files, capsys):
    (files / "c.png").write_bytes(b"nothing")
    words = [str(files / name) for name in ("c.png", "street.mp4", "b.png")]
    assert (
        draw_files(
            Noting(files / "out", error="it ends"),
            words,
            checkpoint=files / "a.ckpt",
            folder=files / "out",
            drawn=LINES,
        )
        == 1
    )
    told = capsys.readouterr()
    assert "out: lines of 1 file, 2 could not be read" in told.out
    assert "it ends" in told.err


def test_a_stop_says_where_the_files_are(files, capsys):
    with pytest.raises(KeyboardInterrupt):
        draw_files(
            Noting(files / "out", stop_at="b"),
            [str(files / "b.png")],
            checkpoint=files / "a.ckpt",
            folder=files / "out",
            drawn=LINES,
        )
    assert f"stopped; what is drawn is in {files / 'out'}" in capsys.readouterr().err
    assert not (files / "out").exists()


def test_names_that_are_nothing_are_an_error(files):
    with pytest.raises(ValueError, match=r"gone\.png"):
        draw_files(
            Noting(files), [str(files / "gone.png")], checkpoint=files / "a.ckpt", folder=files / "out", drawn=LINES
        )


def test_settings_of_other_checkpoints():
    check_settings({"every", "out"}, ["window"], drawn=LINES)
    with pytest.raises(
        ValueError, match="^top_k, num_tokens: for checkpoints that label videos, and this one finds li"
    ):
        check_settings({"num_tokens", "top_k", "every"}, ["window"], drawn=LINES)
    with pytest.raises(ValueError, match="^window: not for a checkpoint that finds lines; leave it out$"):
        check_settings({"window"}, ["window"], drawn=LINES)


def test_a_table_is_no_folder(tmp_path):
    assert folder_of_drawings(None, drawn=LINES) == Path("outputs/predict")
    assert folder_of_drawings(tmp_path, drawn=LINES) == tmp_path
    with pytest.raises(ValueError, match="out=a.csv: found lines are drawn into a folder; give its name, out=a$"):
        folder_of_drawings(Path("a.csv"), drawn=LINES)


def test_what_another_checkpoint_drew_is_not_written_over(files):
    words, out = [str(files / "b.png")], files / "out"
    draw_files(Noting(out), words, checkpoint=files / "a.ckpt", folder=out, drawn=LINES)
    with pytest.raises(ValueError, match=r"out holds the results of b by another checkpoint, .*a\.ckpt; give another"):
        draw_files(Noting(out), words, checkpoint=files / "b.ckpt", folder=out, drawn=LINES)
