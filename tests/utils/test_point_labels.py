import numpy as np
import pytest

from stvit_video.utils.figures import lay_out, new_figure
from stvit_video.utils.plot_text import FIRST_FONT
from stvit_video.utils.point_labels import write_beside


def written(points, texts, **more):
    figure = new_figure(5, 4, dpi=110, layout="constrained")
    axes = figure.subplots()
    axes.plot(*zip(*points, strict=True), "o", markersize=7)
    axes.margins(0.1)
    lay_out(figure)
    notes = write_beside(axes, points, texts, families=[FIRST_FONT], colours=["red"] * len(texts), fontsize=7, **more)
    figure.canvas.draw()
    return axes, notes


def boxes(notes):
    return [note.get_window_extent().extents for note in notes if note is not None]


def overlaps(one, other):
    """Whether rectangles given as left, bottom, right and top share an area, with a thousandth for rounding."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return width > 1e-3 and height > 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_drawn_texts_lie_on_no_text_no_point_and_within_the_axes(seed):
    """As drawn: the boxes are those of matplotlib, not those that the search has reckoned with."""
    points = np.random.default_rng(seed).random((61, 2)).tolist()
    axes, notes = written(points, [f"{n} tokens, lr={n}" for n in range(61)])
    found = boxes(notes)
    assert 8 < len(found) < 61
    centres = axes.transData.transform(points)
    left, bottom, right, top = axes.get_window_extent().extents
    for number, box in enumerate(found):
        assert not [other for other in found[:number] if overlaps(box, other)]
        assert not ((centres > box[:2]) & (centres < box[2:])).all(axis=1).any()
        assert left <= box[0] < box[2] <= right
        assert bottom <= box[1] < box[3] <= top


def test_a_text_stands_beside_its_own_point():
    points = [(0.1, 0.2), (0.5, 0.9), (0.8, 0.4)]
    axes, notes = written(points, ["first", "", "third"])
    assert notes[1] is None
    for number in (0, 2):
        assert notes[number].get_text() == ["first", "", "third"][number]
        box = notes[number].get_window_extent().padded(15)
        assert box.contains(*axes.transData.transform(points[number]))
        assert notes[number].get_color() == "red"


def test_the_first_in_order_has_the_place():
    points = [(0.0, 0.0), (0.5, 0.5), (0.5, 0.5), (1.0, 1.0)]
    texts = ["", "a long text in the middle of the picture", "another one that is as long as the first is", ""]
    for order in ([1, 2], [2, 1]):
        _, notes = written(points * 7, texts * 7, order=order)
        assert notes[order[0]] is not None
        assert notes[order[0]].xyann[0] > 0  # on the right, the first of the places


def test_a_line_is_avoided_where_there_is_another_place():
    points = [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)]
    line = [(0.5, 0.5), (1.0, 0.5)]  # to the right, where a text stands by default
    texts = ["", "here", ""]
    _, (_, plain, _) = written(points, texts)
    axes, (_, moved, _) = written(points, texts, lines=[line])
    start, end = axes.transData.transform(line)
    assert plain.get_window_extent().y0 < start[1] < plain.get_window_extent().y1
    box = moved.get_window_extent()
    assert not (box.y0 < start[1] < box.y1 and box.x1 > start[0] and box.x0 < end[0])


def test_without_a_free_place_there_is_no_text():
    axes, notes = written([(0.0, 0.0), (1.0, 1.0)], ["x" * 200, "short"])
    assert notes[0] is None
    assert [one.get_text() for one in axes.texts] == ["short"]
