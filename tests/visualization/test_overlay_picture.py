"""NAME.png and NAME.json of a picture."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stvit_video.utils.atomic_files import DiskFullError
from stvit_video.visualization.draw_detections import draw_detections
from stvit_video.visualization.overlay_picture import overlay_picture

PICTURE = np.random.default_rng(0).integers(0, 256, (97, 131, 3), dtype=np.uint8)
FOUND = {"boxes": [[5, 6, 70, 80], [0, 0, 9, 9]], "labels": [1, 0], "scores": [0.75, 0.3]}
SETTINGS = {"source": "b/a.jpg", "name": "a", "names": ["cell", "قفز"]}


def test_the_drawn_picture_and_its_detections(tmp_path):
    png, lines = overlay_picture(PICTURE, FOUND, folder=tmp_path, **SETTINGS)
    assert (png, lines) == (tmp_path / "a.png", tmp_path / "a.json")
    assert (np.asarray(Image.open(png)) == draw_detections(PICTURE, FOUND, names=SETTINGS["names"])).all()
    assert json.loads(lines.read_text(encoding="utf-8")) == {
        "picture": "b/a.jpg",
        "width": 131,
        "height": 97,
        "threshold": 0.5,
        "detections": [{"label": "قفز", "score": 0.75, "box": [5, 6, 70, 80]}],
    }
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.json", "a.png"]


def test_a_name_that_is_no_utf8_does_not_end_the_work(tmp_path):
    _, lines = overlay_picture(PICTURE, FOUND, folder=tmp_path, **(SETTINGS | {"source": "\udcff.jpg"}))
    assert json.loads(lines.read_text(encoding="utf-8"))["picture"] == "\udcff.jpg"


def test_a_full_disk_is_told(tmp_path, monkeypatch):
    def full(self, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DiskFullError, match=r"a\.png can't be written, there is no room left .*; make room"):
        overlay_picture(PICTURE, FOUND, folder=tmp_path, **SETTINGS)
    assert list(tmp_path.iterdir()) == []
