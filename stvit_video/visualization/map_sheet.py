"""examples.png of label maps: pictures that a segmenter reads best and worst, each beside its truth and prediction."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from PIL import Image

from stvit_video.evaluation.picture_results import PictureId
from stvit_video.evaluation.segmentation.confusion import IGNORED
from stvit_video.evaluation.segmentation.segmentation_results import SegmentationResults
from stvit_video.visualization.draw_maps import draw_map
from stvit_video.visualization.map_legend import LegendEntry, legend_strip
from stvit_video.visualization.panel_sheet import Panel, PanelGroup, fitted_size, panel_sheet, resized_picture

__all__ = ["MapExample", "choose_map_examples", "map_sheet"]

LETTER_PIXELS = 15
NOT_COUNTED = "not counted"


@dataclass(frozen=True, eq=False)
class MapExample:
    """One picture of the sheet.

    Attributes:
        title: such as "best: mean IoU 0.83, a.jpg".
        read: gives the original picture, (H, W, 3) uint8.
        read_map: gives its true labels, (H, W) uint8, 255 = not counted.
        labels: gives the predicted ones, (H, W) uint8.
    """

    title: str
    read: Callable[[], np.ndarray]
    read_map: Callable[[], np.ndarray]
    labels: Callable[[], np.ndarray]


def choose_map_examples(
    results: SegmentationResults,
    *,
    read: Callable[[PictureId], np.ndarray],
    read_map: Callable[[PictureId], np.ndarray],
    title_of: Callable[[PictureId], str] = str,
) -> list[MapExample]:
    """The best pictures and then the worst, by the mean IoU of the classes they have.

    Args:
        results: of an evaluation.
        read: gives an original picture, (H, W, 3) uint8.
        read_map: gives its true labels, (H, W) uint8.
        title_of: what a picture is called.
    """
    return [
        MapExample(
            title=f"{'best' if is_best else 'worst'}: mean IoU {ranked.score:.2f}, {title_of(ranked.picture_id)}",
            read=partial(read, ranked.picture_id),
            read_map=partial(read_map, ranked.picture_id),
            labels=ranked.labels,
        )
        for ranked, is_best in results.best_and_worst()
    ]


def map_sheet(examples: Sequence[MapExample], *, names: Sequence[str]) -> np.ndarray:
    """Draw each picture, its truth and its prediction from left to right, and below them all the classes that occur.

    Pixels that do not count have no colour, in the truth alone.

    Args:
        examples: in the order of the sheet. A picture that can't be read has its reason in its place.
        names: of the classes, by label.

    Returns:
        (H, W, 3) uint8.

    Raises:
        ValueError: there is no example.
    """
    if not examples:
        raise ValueError("there is no picture with a pixel that counts, so there is no example to draw")
    shown: set[int] = set()  # labels of all maps
    groups = [PanelGroup(example.title, partial(_panels, example, shown)) for example in examples]
    sheet = panel_sheet(groups, num_panels=3)
    entries = [LegendEntry(names[label], label) for label in sorted(shown - {IGNORED})]
    if IGNORED in shown:
        entries.append(LegendEntry(NOT_COUNTED, None))
    strip = legend_strip(entries, width=sheet.shape[1], letter_pixels=LETTER_PIXELS)
    return np.concatenate([sheet, strip], axis=0)


def _panels(example: MapExample, shown: set[int]) -> tuple[Panel, Panel, Panel]:
    small = resized_picture(example.read())
    maps = [_resized_map(labels) for labels in (example.read_map(), example.labels())]
    shown.update(int(label) for labels in maps for label in np.unique(labels))
    truth, prediction = (draw_map(small, labels) for labels in maps)
    return (example.title, small), ("truth", truth), ("prediction", prediction)


def _resized_map(labels: np.ndarray) -> np.ndarray:
    """Labels (H, W) uint8 in the size of a panel, none of them mixed."""
    height, width = fitted_size(*labels.shape)
    return np.asarray(Image.fromarray(labels).resize((width, height), Image.Resampling.NEAREST))
