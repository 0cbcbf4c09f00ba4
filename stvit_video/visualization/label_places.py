"""Where the label of a box stands: beside it, within the picture, and on no other label."""

__all__ = ["LabelPlaces"]

Corners = tuple[int, int, int, int]  # first column, first row, last column, last row


class LabelPlaces:
    """The places on a picture that labels have taken.

    Args:
        height: of the picture, in pixels.
        width: likewise.
    """

    def __init__(self, *, height: int, width: int) -> None:
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
            if 0 <= place[0] <= self._height - height and not any(_overlap(corners, other) for other in self._taken):
                self._taken.append(corners)
                return place
        return None


def _overlap(first: Corners, second: Corners) -> bool:
    columns = first[0] <= second[2] and second[0] <= first[2]
    return columns and first[1] <= second[3] and second[1] <= first[3]
