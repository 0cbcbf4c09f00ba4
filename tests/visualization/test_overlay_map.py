"""NAME.png, NAME_labels.png and NAME.json of a picture."""

import json

import numpy as np
import pytest
from PIL import Image

from stvit_video.visualization.class_colours import class_colour
from stvit_video.visualization.draw_maps import draw_map
from stvit_video.visualization.overlay_map import map_with_legend, overlay_map

NAMES = ["sky", "قفز", "ship"]
PICTURE = np.random.default_rng(0).integers(0, 256, (97, 331, 3), dtype=np.uint8)
LABELS = np.zeros((97, 331), dtype=np.uint8)
LABELS[60:, 30:100] = 2
SETTINGS = {"source": "b/a.jpg", "name": "a", "names": NAMES, "model": "casvit_xs"}


def test_the_three_files(tmp_path):
    files = overlay_map(PICTURE, LABELS, folder=tmp_path, **SETTINGS)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "a.png", "a_labels.png"]
    assert (files.drawing.name, files.labels.name, files.values.name) == ("a.png", "a_labels.png", "a.json")
    drawn = np.asarray(Image.open(files.drawing))
    assert (drawn[:97] == draw_map(PICTURE, LABELS)).all()
    share = 37 * 70 / LABELS.size
    assert json.loads(files.values.read_text(encoding="utf-8")) == {
        **{"picture": "b/a.jpg", "width": 331, "height": 97, "model": "casvit_xs"},
        "classes": {"sky": pytest.approx(1 - share, abs=1e-6), "ship": pytest.approx(share, abs=1e-6)},
        **{"labels_file": "a_labels.png", "names": NAMES},
    }


def test_the_labels_come_back_with_the_colours_of_the_drawing(tmp_path):
    files = overlay_map(PICTURE, LABELS, folder=tmp_path, **SETTINGS)
    with Image.open(files.labels) as stored:
        assert stored.mode == "P"
        assert np.array_equal(np.asarray(stored), LABELS)
        colours = np.asarray(stored.convert("RGB"))
    assert tuple(colours[80, 50]) == class_colour(2)
    assert tuple(colours[0, 0]) == class_colour(0)


def test_the_legend_is_below_the_picture_and_has_what_occurs():
    drawn = map_with_legend(PICTURE, LABELS, names=NAMES)
    strip = drawn[97:]
    assert drawn.shape[1] == 331
    assert [(strip == class_colour(label)).all(-1).any() for label in range(3)] == [True, False, True]


def test_a_narrow_picture_has_paper_beside_it():
    drawn = map_with_legend(PICTURE[:, :20], LABELS[:, :20], names=NAMES)
    assert drawn.shape[1] == 240
    assert (drawn[:97, 20:] == 255).all()
    assert (drawn[97:, 20:100] < 255).any()


def test_a_name_that_is_no_utf8_does_not_end_the_work(tmp_path):
    files = overlay_map(PICTURE, LABELS, folder=tmp_path, **(SETTINGS | {"source": "\udcff.jpg"}))
    assert json.loads(files.values.read_text(encoding="utf-8"))["picture"] == "\udcff.jpg"


def test_a_label_without_a_name_leaves_no_file(tmp_path):
    with pytest.raises(ValueError, match="label 2 has no name; names has 2"):
        overlay_map(PICTURE, LABELS, folder=tmp_path, **(SETTINGS | {"names": NAMES[:2]}))
    assert list(tmp_path.iterdir()) == []
