"""Label maps counted picture by picture, over one process or several, and scored at the end."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import torch

from stvit_video.evaluation.picture_results import PictureId, PictureResults
from stvit_video.evaluation.segmentation.confusion import add_to_confusion, empty_confusion
from stvit_video.evaluation.segmentation.map_scores import MapScores, map_scores, occurring_iou
from stvit_video.evaluation.segmentation.ranked_maps import RankedMap, RankedMaps
from stvit_video.utils.plain_arrays import as_array

__all__ = ["SegmentationResults"]


class SegmentationResults(PictureResults):
    """The confusion matrix of an evaluation, and why pictures are missing from it.

    Of single pictures only the predicted maps of the best and the worst are kept, compressed.

    Args:
        picture_ids: of the list, in its order.
        classes: names, by label, at most 255.

    Raises:
        ValueError: a picture stands twice, or see `empty_confusion`.
    """

    def __init__(self, picture_ids: Iterable[PictureId], *, classes: Sequence[str]) -> None:
        super().__init__(picture_ids, classes=classes)
        self.matrix = empty_confusion(len(self.classes))  # (K, K) int64 pixels, rows = true class
        self.sizes: dict[PictureId, tuple[int, int]] = {}  # height and width of those that were evaluated, in pixels
        self._ranked = RankedMaps()

    def add(
        self, picture_ids: Sequence[PictureId], found: Sequence[Mapping[str, Any]], true_maps: Sequence[Any]
    ) -> None:
        """Count the maps of a batch.

        Args:
            picture_ids: of the pictures.
            found: for each a dictionary with "labels" (H, W), whole numbers from 0, as `Segmenter.segment` gives it.
            true_maps: for each (H, W), whole numbers from 0, 255 = the pixel does not count.

        Raises:
            ValueError: a picture that is not listed or came before, or see `add_to_confusion`.
        """
        for name, predicted, truth in zip(picture_ids, found, true_maps, strict=True):
            self._require_new(name)
            labels, own = as_array(predicted["labels"]), empty_confusion(len(self.classes))
            try:
                add_to_confusion(own, labels, truth)
            except ValueError as error:
                raise ValueError(f"picture {name!r}: {error}") from error
            self._take(name)
            self.sizes[name] = (labels.shape[0], labels.shape[1])
            self.matrix += own
            score = occurring_iou(own)
            if score is not None:
                place, num_classes = self._places[name], int(np.count_nonzero(own.sum(axis=1)))
                self._ranked.offer(name, place, score=score, num_classes=num_classes, labels=labels)

    def scores(self) -> MapScores:
        """The scores of the pictures that were evaluated."""
        return map_scores(self.matrix, classes=self.classes)

    def best_and_worst(self) -> list[tuple[RankedMap, bool]]:
        """The 6 best and the 6 worst pictures by the mean IoU of the classes they have, see `RankedMaps.chosen`."""
        return self._ranked.chosen()

    def share(self) -> dict[str, Any]:
        """What this process has, of lists, numbers, texts and tensors: for `evaluation.distributed.gather_shares`."""
        return {
            "matrix": torch.from_numpy(self.matrix.copy()),
            "used": [(name, *self.sizes[name]) for name in self.used],
            "ranked": self._ranked.share(),
            "errors": list(self._errors.items()),
        }

    def take_share(self, share: Mapping[str, Any]) -> None:
        """Add what another process has.

        Args:
            share: of its `share`.

        Raises:
            ValueError: a picture came before, or is not listed here.
        """
        for name, height, width in share["used"]:
            self._take(name)
            self.sizes[name] = (height, width)
        self.matrix += share["matrix"].numpy()
        self._ranked.take_share(share["ranked"])
        for name, reason in share["errors"]:
            self.add_missing(name, reason)
