"""The picture of a table."""

from dataclasses import replace

import pytest
from PIL import Image
from speed_rows import measured_rows

from stvit_video.model_benchmark.speed_plot import LABEL_STEP, POINT_STEP, draw_speeds, label_heights
from stvit_video.model_benchmark.speed_result import results_of
from stvit_video.model_benchmark.speed_table import sections_of


def test_a_picture_of_what_was_measured(tmp_path):
    (section, _) = sections_of(results_of(measured_rows()))
    assert draw_speeds(section, tmp_path / "a.png")
    assert Image.open(tmp_path / "a.png").size[0] > 500
    only = replace(section, rows=section.rows[2:])
    assert not draw_speeds(only, tmp_path / "b.png")
    assert not (tmp_path / "b.png").exists()


def test_labels_of_near_points_stand_apart():
    points = [(0.5, 0.5), (0.5, 0.505), (0.5, 0.51), (0.5, 0.9), (0.71, 0.5), (0.5, 0.4)]
    heights = label_heights(points, [0.2] * 6)
    assert [heights[place] for place in (0, 3, 4, 5)] == [0.5, 0.9, 0.5, 0.4]
    assert heights[1] - heights[0] == pytest.approx(LABEL_STEP)
    assert heights[2] - heights[1] == pytest.approx(LABEL_STEP)


def test_a_label_does_not_cover_the_point_on_its_right():
    assert label_heights([(0.5, 0.5), (0.6, 0.51)], [0.2, 0.1]) == [
        pytest.approx(0.51 + POINT_STEP),
        pytest.approx(0.56),
    ]
    assert label_heights([(0.5, 0.5), (0.6, 0.51)], [0.05, 0.1]) == [0.5, 0.51]
