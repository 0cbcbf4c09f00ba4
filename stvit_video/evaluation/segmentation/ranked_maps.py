"""The label maps of the pictures that a segmenter reads best and worst, kept in little memory."""

import zlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
import torch
from torch import Tensor

from stvit_video.evaluation.picture_results import PictureId

__all__ = ["RankedMap", "RankedMaps"]

FAST = 1  # level of compression


@dataclass(frozen=True, eq=False)
class RankedMap:
    """One picture with what was predicted.

    Attributes:
        picture_id: of the picture.
        place: in the list, from 0.
        score: mean IoU of the classes that it has.
        num_classes: that it has.
        height: in pixels.
        width: in pixels.
        packed: (n,) uint8, the compressed labels.
    """

    picture_id: PictureId
    place: int
    score: float
    num_classes: int
    height: int
    width: int
    packed: Tensor

    def labels(self) -> np.ndarray:
        """(H, W) uint8, what was predicted."""
        content = zlib.decompress(self.packed.numpy().tobytes())
        return np.frombuffer(content, dtype=np.uint8).reshape(self.height, self.width)


class RankedMaps:
    """The best and the worst pictures so far; of equal scores those with more classes, then the first of the list.

    Which they are does not depend on the order in which pictures come, nor on the number of processes.

    Args:
        count: pictures to be chosen at the end, best and worst together.
    """

    def __init__(self, *, count: int = 12) -> None:
        self._count = count
        self._best: list[RankedMap] = []
        self._worst: list[RankedMap] = []  # twice as many as are chosen, as some of them may be among the best

    def offer(self, picture_id: PictureId, place: int, *, score: float, num_classes: int, labels: np.ndarray) -> None:
        """Keep the map of a picture if it is among the best or the worst.

        Args:
            picture_id: of the picture.
            place: in the list.
            score: mean IoU of the classes that it has.
            num_classes: that it has.
            labels: (H, W) uint8, what was predicted.
        """
        height, width = labels.shape
        ranked = RankedMap(picture_id, place, score, num_classes, height, width, torch.zeros(0, dtype=torch.uint8))
        if self._is_wanted(ranked):
            packed = bytearray(zlib.compress(np.ascontiguousarray(labels, dtype=np.uint8).tobytes(), FAST))
            self._keep(RankedMap(**_values(ranked) | {"packed": torch.frombuffer(packed, dtype=torch.uint8)}))

    def chosen(self) -> list[tuple[RankedMap, bool]]:
        """The best pictures, best first, then the worst, worst first, each with whether it is one of the best.

        Of an odd count the best are one more. No picture is both.
        """
        count = min(self._count, len(self._worst))  # of fewer pictures, all of them are among the worst
        best = self._best[: (count + 1) // 2]
        names = {ranked.picture_id for ranked in best}
        worst = [ranked for ranked in self._worst if ranked.picture_id not in names][: count // 2]
        return [(ranked, True) for ranked in best] + [(ranked, False) for ranked in worst]

    def share(self) -> list[dict[str, Any]]:
        """What is kept, as plain values and tensors."""
        kept = {ranked.picture_id: ranked for ranked in [*self._best, *self._worst]}
        return [_values(ranked) for ranked in kept.values()]

    def take_share(self, share: list[Mapping[str, Any]]) -> None:
        """Add what another process has kept."""
        for values in share:
            self._keep(RankedMap(**values))

    @property
    def _num_best(self) -> int:
        return (self._count + 1) // 2

    def _is_wanted(self, ranked: RankedMap) -> bool:
        if len(self._best) < self._num_best or len(self._worst) < self._count:
            return True
        return _best_first(ranked) < _best_first(self._best[-1]) or _worst_first(ranked) < _worst_first(self._worst[-1])

    def _keep(self, ranked: RankedMap) -> None:
        self._best = sorted([*self._best, ranked], key=_best_first)[: self._num_best]
        self._worst = sorted([*self._worst, ranked], key=_worst_first)[: self._count]


def _values(ranked: RankedMap) -> dict[str, Any]:
    return {field.name: getattr(ranked, field.name) for field in fields(ranked)}


def _best_first(ranked: RankedMap) -> tuple[float, int, int]:
    return -ranked.score, -ranked.num_classes, ranked.place


def _worst_first(ranked: RankedMap) -> tuple[float, int, int]:
    return ranked.score, -ranked.num_classes, ranked.place
