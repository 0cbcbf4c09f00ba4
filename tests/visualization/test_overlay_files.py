import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from stvit_video.utils.atomic_files import DiskFullError
from stvit_video.visualization.overlay_files import write_json_line, write_png


def test_what_is_written_comes_back(tmp_path):
    pixels = np.random.default_rng(0).integers(0, 256, (7, 11, 3), dtype=np.uint8)
    write_png(tmp_path / "a.png", Image.fromarray(pixels))
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), pixels)
    write_json_line(tmp_path / "a.json", {"name": "跳 \udcff", "x": 1})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"name": "跳 \udcff", "x": 1}
    assert text.count("\n") == 1
    assert "跳" in text


def test_a_full_disk_is_told_and_leaves_the_old_file(tmp_path, monkeypatch):
    (tmp_path / "a.json").write_text("old")

    def full(self, content):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(DiskFullError, match=r"a\.json can't be written, there is no room left .*; make room"):
        write_json_line(tmp_path / "a.json", {})
    assert (tmp_path / "a.json").read_text() == "old"
