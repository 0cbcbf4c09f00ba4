"""Where the label of a box stands: beside it, within the picture, and on no other label."""

from collections.abc import Sequence

__all__ = ["LabelPlaces"]

MOST_HIDDEN = 0.25  # of the area of a box that is to stay visible

Corners = tuple[int, int, int, int]  # first column, first row, last column, last row


class LabelPlaces:
    """The places on a picture that labels have taken.

    Args:
        height: of the picture, in pixels.
        width: likewise.
        visible: boxes of which no label may cover more than a quarter.
    """

    def __init__(self, *, height: int, width: int, visible: Sequence[Corners] = ()) -> None:
        self._visible = visible
        self._height, self._width = height, width
        self._taken: list[Corners] = []

    def take(self, box: Corners, *, height: int, width: int) -> tuple[int, int] | None:
        """Find a place for a label: above the box, below it, or in its upper or lower edge, in this order.

        Args:
            box: that the label is of.
            height: of the label, in pixels.
            width: likewise.

        Returns:
            First row and first column of the label, which is taken from now on; None = there is no free place.
        """
        if width < 1 or height > self._height or width > self._width:
            return None
        left, top, right, bottom = box
        column = min(left, self._width - width)
        rows = (top - height, bottom + 1, top, bottom + 1 - height)
        for place in [(row, column) for row in rows] + [(row, max(right + 1 - width, 0)) for row in rows]:
            corners = (place[1], place[0], place[1] + width - 1, place[0] + height - 1)
            if 0 <= place[0] <= self._height - height and self._is_free(corners):
                self._taken.append(corners)
                return place
        return None

    def _is_free(self, corners: Corners) -> bool:
        return not any(_overlap(corners, other) for other in self._taken) and not any(
            _hidden_share(corners, box) > MOST_HIDDEN for box in self._visible
        )


def _hidden_share(label: Corners, box: Corners) -> float:
    """How much of the area of a box a label covers, from 0 to 1."""
    sides = [max(0, min(label[i + 2], box[i + 2]) + 1 - max(label[i], box[i])) for i in (0, 1)]
    return sides[0] * sides[1] / ((box[2] + 1 - box[0]) * (box[3] + 1 - box[1]))


def _overlap(first: Corners, second: Corners) -> bool:
    columns = first[0] <= second[2] and second[0] <= first[2]
    return columns and first[1] <= second[3] and second[1] <= first[3]
