"""The picture of a table."""

from dataclasses import replace

import pytest
from PIL import Image
from speed_rows import measured_rows

from stvit_video.model_benchmark.speed_plot import LABEL_STEP, LABEL_WIDTH, draw_speeds, label_heights
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
    points = [(0.5, 0.5), (0.52, 0.5), (0.51, 0.51), (0.5, 0.9), (0.5 + LABEL_WIDTH, 0.5), (0.5, 0.4)]
    heights = label_heights(points)
    assert [heights[place] for place in (0, 3, 4, 5)] == [0.5, 0.9, 0.5, 0.4]
    near = sorted(heights[:3])
    assert near[1] - near[0] == pytest.approx(LABEL_STEP)
    assert near[2] - near[1] >= LABEL_STEP - 1e-9
