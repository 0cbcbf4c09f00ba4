"""Detections gathered picture by picture, over one process or several, and scored at the end."""

from collections.abc import Mapping, Sequence
from typing import Any

from stvit_video.evaluation.detection.coco_scores import CocoScores, score_instances
from stvit_video.evaluation.detection.instances import (
    PictureInstances,
    detected_instances,
    instances_of_stored,
    true_instances,
)
from stvit_video.evaluation.picture_results import PictureId, PictureResults

__all__ = ["DetectionResults"]


class DetectionResults(PictureResults):
    """What became of each picture of an evaluation: its detections, or the reason why it has none.

    Masks are kept as run lengths. Boxes are rounded to 0.01 pixel and scores to 1e-6, so that whoever scores
    detections.json gets the same numbers.

    Args:
        truth: one for each listed picture, see `true_instances`. Boxes and masks are in pixels of the original picture.
        classes: names, by label.

    Raises:
        ValueError: see `true_instances`; also a picture that stands twice.
    """

    def __init__(self, truth: Sequence[Mapping[str, Any]], *, classes: Sequence[str]) -> None:
        listed = [true_instances(picture, num_classes=len(classes)) for picture in truth]
        super().__init__([picture.picture_id for picture in listed], classes=classes)
        self._truth: dict[PictureId, PictureInstances] = {picture.picture_id: picture for picture in listed}
        self._detections: dict[PictureId, PictureInstances] = {}

    def add(self, picture_ids: Sequence[PictureId], detections: Sequence[Mapping[str, Any]]) -> None:
        """Take the detections of a batch.

        Args:
            picture_ids: of the pictures.
            detections: one dictionary a picture, see `detected_instances`.

        Raises:
            ValueError: a picture that is not listed or came before, or see `detected_instances`.
        """
        for name, found in zip(picture_ids, detections, strict=True):
            self._require_new(name)
            self._detections[name] = detected_instances(name, found, num_classes=len(self.classes), is_rounded=True)
            self._take(name)

    @property
    def truth(self) -> list[PictureInstances]:
        """The true objects of the pictures that were evaluated, in the order of the list."""
        return [self._truth[name] for name in self.used]

    @property
    def detections(self) -> dict[PictureId, PictureInstances]:
        """The detections of the pictures that were evaluated, in the order of the list."""
        return {name: self._detections[name] for name in self.used}

    def scores(self, iou_type: str = "bbox", *, max_detections: int = 100) -> CocoScores:
        """Score the pictures that were evaluated, see `coco_scores`.

        Raises:
            ValueError: see `coco_scores`.
        """
        return score_instances(
            self.truth,
            list(self.detections.values()),
            classes=self.classes,
            iou_type=iou_type,
            max_detections=max_detections,
        )

    def share(self) -> dict[str, Any]:
        """What this process has, of lists, numbers and texts alone: for `evaluation.distributed.gather_shares`."""
        return {
            "detections": [picture.stored() for picture in self._detections.values()],
            "errors": list(self._errors.items()),
        }

    def take_share(self, share: Mapping[str, Any]) -> None:
        """Add what another process has.

        Args:
            share: of its `share`.

        Raises:
            ValueError: a picture came before, or is not listed here.
        """
        for values in share["detections"]:
            picture = instances_of_stored(values)
            self._take(picture.picture_id)
            self._detections[picture.picture_id] = picture
        for name, reason in share["errors"]:
            self.add_missing(name, reason)
