"""Groups of panels in rows of six panels, each panel with its title, whatever their sizes."""

import numpy as np
import pytest
from PIL import Image

from stvit_video.visualization.panel_sheet import (
    GAP_PIXELS,
    PANEL_PIXELS,
    TITLE_PIXELS,
    PanelGroup,
    fitted_size,
    group_pixels,
    panel_sheet,
    resized_picture,
    save_sheet,
)

SIZES = [(100, 50), (50, 100), (7, 7), (10, 100)]
FITTED = [(320, 160), (160, 320), (320, 320), (32, 320)]


def group(level, size, num_panels=2):
    panels = [(f"title {n}", np.full((*fitted_size(*size), 3), level + n, dtype=np.uint8)) for n in range(num_panels)]
    return PanelGroup("title", lambda: tuple(panels))


@pytest.mark.parametrize(("num_panels", "a_row", "highest"), [(2, 3, [320, 32]), (3, 2, [320, 320])])
def test_groups_stand_in_rows_of_six_panels_as_high_as_their_highest(num_panels, a_row, highest):
    groups = [group(10 * (n + 1), size, num_panels) for n, size in enumerate(SIZES)]
    sheet = panel_sheet(groups, num_panels=num_panels)
    first, second = (TITLE_PIXELS + side + GAP_PIXELS for side in highest)
    across = num_panels * PANEL_PIXELS + (num_panels + 1) * GAP_PIXELS
    assert group_pixels(num_panels) == across
    assert sheet.shape == (first + second, a_row * across, 3)
    for number, (height, width) in enumerate(FITTED):
        top = TITLE_PIXELS + number // a_row * first
        for panel in range(num_panels):
            left = number % a_row * across + GAP_PIXELS + panel * (PANEL_PIXELS + GAP_PIXELS)
            part = sheet[top : top + height, left : left + width]
            assert (part == 10 * (number + 1) + panel).all()
            assert (sheet[top - TITLE_PIXELS : top, left : left + 60] < 100).any()  # a title


@pytest.mark.parametrize("error", [OSError, RuntimeError, ValueError])
def test_a_group_that_can_not_be_drawn_has_its_reason(error):
    def broken():
        raise error("a.jpg is gone")

    sheet = panel_sheet([PanelGroup("worst", broken), group(10, (4, 5))], num_panels=2)
    assert (sheet[TITLE_PIXELS : PANEL_PIXELS // 2, GAP_PIXELS : 2 * PANEL_PIXELS] == 225).all()
    assert (sheet[:TITLE_PIXELS, : group_pixels(2)] < 100).any()


@pytest.mark.parametrize(("size", "fitted"), [((640, 480), (320, 240)), ((1, 1000), (1, 320)), ((9, 3), (320, 107))])
def test_the_long_side_is_that_of_the_sheet(size, fitted):
    assert fitted_size(*size) == fitted
    assert resized_picture(np.zeros((*size, 3), dtype=np.uint8)).shape == (*fitted, 3)


def test_a_sheet_is_written_in_one_step(tmp_path):
    sheet = panel_sheet([group(10, (4, 5))], num_panels=2)
    save_sheet(tmp_path / "a.png", sheet)
    assert np.array_equal(np.asarray(Image.open(tmp_path / "a.png")), sheet)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
