"""Predictions in a terminal: a table for a person, plain lines for a pipe."""

import sys
from collections.abc import Iterable, Sequence
from typing import Any

from stvit_video.inference.prediction import Prediction
from stvit_video.predictions.label_table import Row
from stvit_video.predictions.listed_video import ListedVideo
from stvit_video.predictions.progress_bar import has_rich, has_terminal

NAME_SHARE, LABEL_SHARE = 0.4, 0.25  # of the terminal's width, at most
HEADER = ("video", "label", "probability", "others")


def show_predictions(rows: Iterable[Row], *, videos: Sequence[ListedVideo], classes: Sequence[str]) -> int:
    """Show each prediction as soon as it is there.

    Args:
        rows: the predictions.
        videos: all videos, which decide the width of a column.
        classes: all labels, likewise.

    Returns:
        How many videos could not be read.
    """
    if has_terminal(sys.stdout) and has_rich():
        table = TerminalTable(names=[video.title for video in videos], labels=classes)
        return sum(table.show(video, prediction) for video, prediction in rows)
    return sum(_print_plain(video, prediction) for video, prediction in rows)


def _print_plain(video: ListedVideo, prediction: Prediction) -> bool:
    """The name, then a line for each label; an error goes to standard error. True = it is one."""
    if prediction.error is not None:
        print(f"error: {prediction.error}", file=sys.stderr, flush=True)
        return True
    print(video.title)
    for label, probability in zip(prediction.labels, prediction.probabilities, strict=True):
        print(f"  {probability:.4f}  {label}")
    sys.stdout.flush()
    return False


class TerminalTable:
    """A table whose rows are printed one by one, under columns of a fixed width.

    Args:
        names: of all videos.
        labels: all of them.
    """

    def __init__(self, *, names: Sequence[str], labels: Sequence[str]) -> None:
        from rich.cells import cell_len
        from rich.console import Console

        self.console = Console(file=sys.stdout, highlight=False)
        width = self.console.width
        longest_name = max(map(cell_len, map(printable, names)), default=0)
        longest_label = max(map(cell_len, map(printable, labels)), default=0)
        name = max(min(longest_name, int(NAME_SHARE * width)), len(HEADER[0]))
        label = max(min(longest_label, int(LABEL_SHARE * width)), len(HEADER[1]))
        probability = len(HEADER[2])
        self.widths = (name, label, probability, max(width - name - label - probability - 6, len(HEADER[3])))
        self._is_first = True

    def show(self, video: ListedVideo, prediction: Prediction) -> bool:
        """Print a row; True = the video could not be read."""
        from rich.text import Text

        if self._is_first:
            self._print([Text(word, style="bold") for word in HEADER])
            self._is_first = False
        name = Text(printable(video.title))
        if prediction.error is not None:
            rest = sum(self.widths[1:]) + 4
            self._print([name, Text(printable(prediction.error), style="red")], widths=(self.widths[0], rest))
            return True
        pairs = list(zip(map(printable, prediction.labels), prediction.probabilities, strict=True))
        label, probability = (pairs[0][0], f"{pairs[0][1]:.4f}") if pairs else ("none", "")
        others = ", ".join(f"{label} {probability:.2f}" for label, probability in pairs[1:])
        self._print([name, Text(label, style="bold green"), Text(probability), Text(others, style="dim")])
        return False

    def _print(self, cells: Sequence[Any], *, widths: Sequence[int] = ()) -> None:
        from rich.table import Table

        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), pad_edge=False)
        is_error = len(cells) < len(HEADER)
        for number, width in enumerate(widths or self.widths):
            is_last_of_error = is_error and number == len(cells) - 1
            table.add_column(
                width=width,
                no_wrap=not is_last_of_error,
                overflow="fold" if is_last_of_error else "ellipsis",
                justify="right" if number == 2 else "left",
            )
        table.add_row(*cells)
        self.console.print(table)


def printable(text: str) -> str:
    """A text without signs that move the cursor; such a sign becomes an escape."""
    if text.isprintable():
        return text
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in text)
