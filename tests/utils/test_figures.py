"""Pictures: bounded, and never at the price of a result."""

import logging

import numpy as np
import pytest
from PIL import Image

from stvit_video.utils.figures import MAX_SIDE_PIXELS, draw_or_warn, lay_out, new_figure, save_figure


@pytest.mark.parametrize(
    ("inches", "dpi", "pixels"),
    [((3, 2), 100, (300, 200)), ((300, 2), 100, (MAX_SIDE_PIXELS, 200)), ((2, 5000), 50, (100, MAX_SIDE_PIXELS))],
)
def test_sides_are_bounded(tmp_path, inches, dpi, pixels):
    save_figure(new_figure(*inches, dpi=dpi), tmp_path / "a.png")
    assert Image.open(tmp_path / "a.png").size == pixels


@pytest.mark.parametrize("length", [20, 2_000])
def test_a_long_text_does_not_stretch_the_picture(tmp_path, length):
    figure = new_figure(4, 3, dpi=100)
    figure.text(0.9, 0.5, "x" * length, fontsize=6)
    save_figure(figure, tmp_path / "a.png", is_cropped=True)
    assert max(Image.open(tmp_path / "a.png").size) <= MAX_SIDE_PIXELS


def crowded(**settings):
    """Names and a legend beside the axes, a colour bar, and equal units."""
    figure = new_figure(5, 3, dpi=70, **settings)
    left, right = figure.add_subplot(1, 2, 1), figure.add_subplot(1, 2, 2)
    image = left.imshow(np.arange(35).reshape(5, 7) % 4, cmap="viridis")
    figure.colorbar(image, ax=left)
    left.set_yticks(range(5), [f"a long name of {number}" for number in range(5)])
    left.set_xticks(range(7), [f"column {number}" for number in range(7)], rotation=60, ha="right")
    right.plot([3, 1, 2], label="three values")
    right.plot([1e5, 2e5, 3e5], label="large ones")
    right.set(title="a title of more than its axes", xlabel="x", ylabel="y")
    right.legend(loc="upper left", bbox_to_anchor=(1.02, 1.0))
    return figure


@pytest.mark.parametrize("is_cropped", [True, False])
@pytest.mark.parametrize("layout", [None, "constrained"])
def test_the_picture_is_that_of_matplotlib_which_draws_everything_twice(tmp_path, is_cropped, layout):
    crowded(layout=layout).savefig(tmp_path / "theirs.png", bbox_inches="tight" if is_cropped else None)
    save_figure(crowded(layout=layout), tmp_path / "ours.png", is_cropped=is_cropped)
    ours, theirs = (np.asarray(Image.open(tmp_path / f"{name}.png")) for name in ("ours", "theirs"))
    np.testing.assert_array_equal(ours, theirs)
    assert (len(ours) == 210) != is_cropped


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


def test_what_is_laid_out_keeps_its_place(tmp_path):
    figure = new_figure(4, 3, dpi=100, layout="constrained")
    axes = figure.subplots()
    axes.set_ylabel("high\n" * 3)
    before = axes.get_position().x0
    lay_out(figure)
    placed = axes.get_position().bounds
    assert placed[0] > before
    save_figure(figure, tmp_path / "a.png")
    assert axes.get_position().bounds == placed
