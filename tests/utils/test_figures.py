"""Pictures: bounded, and never at the price of a result."""

import logging

import pytest
from PIL import Image

from stvit_video.utils.figures import MAX_SIDE_PIXELS, draw_or_warn, new_figure, save_figure


@pytest.mark.parametrize(
    ("inches", "dpi", "pixels"),
    [((3, 2), 100, (300, 200)), ((300, 2), 100, (MAX_SIDE_PIXELS, 200)), ((2, 5000), 50, (100, MAX_SIDE_PIXELS))],
)
def test_sides_are_bounded(tmp_path, inches, dpi, pixels):
    save_figure(new_figure(*inches, dpi=dpi), tmp_path / "a.png")
    assert Image.open(tmp_path / "a.png").size == pixels


@pytest.mark.parametrize("length", [20, 20_000])
def test_a_long_text_does_not_stretch_the_picture(tmp_path, length):
    figure = new_figure(4, 3, dpi=100)
    figure.text(0.9, 0.5, "x" * length, fontsize=6)
    save_figure(figure, tmp_path / "a.png", is_cropped=True)
    assert max(Image.open(tmp_path / "a.png").size) <= MAX_SIDE_PIXELS


def test_what_fails_is_a_warning(tmp_path, caplog):
    def fail():
        raise MemoryError

    with caplog.at_level(logging.WARNING):
        assert draw_or_warn(tmp_path / "a.png", (tmp_path / "a.png").touch)
        assert caplog.text == ""
        assert not draw_or_warn(tmp_path / "b.png", fail)
    assert "b.png could not be drawn (MemoryError)" in caplog.text


def test_ctrl_c_is_no_failed_picture(tmp_path):
    def press():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        draw_or_warn(tmp_path / "a.png", press)
