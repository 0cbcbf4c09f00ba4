"""Pictures as PNG by matplotlib's Agg backend: of bounded size, without a display, never at the price of a result."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

__all__ = ["MAX_SIDE_PIXELS", "draw_or_warn", "lay_out", "new_figure", "save_figure"]

MAX_SIDE_PIXELS = 4000  # at most 64 MB of pixels, which Agg holds more than once

_log = logging.getLogger(__name__)


def new_figure(width_inches: float, height_inches: float, *, dpi: int, **settings: Any) -> Any:
    """A figure that draws with Agg, is known to no pyplot registry, and has at most MAX_SIDE_PIXELS a side.

    Args:
        width_inches: what is more than fits is cut off.
        height_inches: likewise.
        dpi: pixels an inch.
        settings: of matplotlib's Figure, such as layout="constrained".
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    most = MAX_SIDE_PIXELS / dpi
    figure = Figure(figsize=(min(width_inches, most), min(height_inches, most)), dpi=dpi, **settings)
    FigureCanvasAgg(figure)
    return figure


def save_figure(figure: Any, path: Path | IO[bytes], *, is_cropped: bool = False) -> None:
    """Write the PNG.

    Args:
        figure: of `new_figure`.
        path: the file to write, or one that is open for it.
        is_cropped: grow or shrink to what is drawn, as far as the sides stay within MAX_SIDE_PIXELS.

    Raises:
        OSError: the file can't be written.
    """
    lay_out(figure)
    box = _drawn_part(figure) if is_cropped else None
    is_cropped = box is not None and max(box.width, box.height) * figure.dpi <= MAX_SIDE_PIXELS
    figure.savefig(path, dpi=figure.dpi, bbox_inches=box if is_cropped else None)


def lay_out(figure: Any) -> None:
    """Give everything its place, for good.

    With a layout engine, savefig would draw all of it for that and then again; and nothing could be put beside what
    has no place yet.

    Args:
        figure: of `new_figure`.
    """
    engine = figure.get_layout_engine()
    if engine is not None:
        engine.execute(figure)
        figure.set_layout_engine(None)


def _drawn_part(figure: Any) -> Any:
    """What savefig's bbox_inches="tight" would save, in inches, without drawing all of it first."""
    from matplotlib import rcParams

    return figure.get_tightbbox(figure.canvas.get_renderer()).padded(rcParams["savefig.pad_inches"])


def draw_or_warn(path: Path, draw: Callable[[], object]) -> bool:
    """Draw a picture; where that fails, whyever, warn and go on: a result counts more than its picture.

    Args:
        path: the picture, for the warning.
        draw: draws and writes it.

    Returns:
        Whether it was drawn.
    """
    try:
        draw()
    except Exception as error:
        reason = str(error) or type(error).__name__
        _log.warning("%s could not be drawn (%s); the results are written without it", path, reason)
        return False
    return True
