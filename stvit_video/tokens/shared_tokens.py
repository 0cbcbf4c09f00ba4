"""Semantic tokens that frames of a video share: made of a key frame, recovered from by every frame of its run."""

from collections.abc import Hashable, Sequence

import torch
from torch import Tensor

View = tuple[int, ...]
# of each run, and each view of its frames, the keys and values of every generating unit, in order
KeptTokens = dict[tuple[Hashable, View], list[Tensor]]


def key_rows(runs: Sequence[Hashable]) -> list[int]:
    """The rows of a batch whose frames are the first of their run.

    Args:
        runs: the run of every frame of the batch.
    """
    first: dict[Hashable, int] = {}
    for row, run in enumerate(runs):
        first.setdefault(run, row)
    return list(first.values())


class SharedTokens:
    """The semantic tokens of a forward pass over frames of videos.

    The first frame of a run is its key frame: its semantic tokens are generated, refined and projected to the keys and
    values of recovery, in every unit that generates. The other frames of the run recover from these keys and values.
    One object serves one forward pass of a model, `model(frames, shared=shared)`. A later pass goes on with the runs
    of this one where its object has the same `kept`.

    Args:
        runs: the run of every frame (row) of the batch.
        kept: the keys and values (*sizes, 2 * C) of earlier passes; those of new runs are added. None = there are none.
        views: what a row shows of its frame, such as its size in pixels, or the place and size of a window; rows share
            tokens where run and view are equal, so that each view of a run has a key frame. None = all show the same.

    Attributes:
        runs: as given.
        kept: as given, or a new dictionary.
        rows: the rows that generate tokens, ascending.

    Source: STViT-R (arXiv:2303.08685), table 9, uses semantic tokens of an earlier unit of an image again.
    Differs: the unit stays the same, and the image is a later one.
    """

    def __init__(
        self, runs: Sequence[Hashable], *, kept: KeptTokens | None = None, views: Sequence[View] | None = None
    ) -> None:
        self.runs = tuple(runs)
        self.kept: KeptTokens = {} if kept is None else kept
        self._names = list(zip(self.runs, views or [()] * len(self.runs), strict=True))
        self.rows = [row for row in key_rows(self._names) if self._names[row] not in self.kept]
        self._unit = 0  # the next one of the forward pass

    def part(self, rows: Sequence[int], *, views: Sequence[View]) -> "SharedTokens":
        """That of a forward pass over some of the rows, or over parts of their frames.

        Args:
            rows: the row that each row of that pass is of.
            views: what each shows, see `views` of the class.
        """
        return SharedTokens([self.runs[row] for row in rows], kept=self.kept, views=views)

    def generating(self, x: Tensor) -> Tensor:
        """The frames that generate tokens: (B, *grid, C) -> (number of `rows`, *grid, C)."""
        return x if len(self.rows) == len(self.runs) else x[torch.tensor(self.rows, device=x.device)]

    def recovered_from(self, kv: Tensor | None) -> Tensor:
        """What every frame recovers from in one unit; called once in each unit of a forward pass, in order.

        Args:
            kv: (number of `rows`, *sizes, 2 * C) keys and values of the key frames; None where there are no `rows`.

        Returns:
            (B, *sizes, 2 * C).
        """
        for row, of_frame in zip(self.rows, () if kv is None else kv, strict=True):
            self.kept.setdefault(self._names[row], []).append(of_frame)
        unit, self._unit = self._unit, self._unit + 1
        if kv is not None and len(self.rows) == len(self.runs):
            return kv
        return torch.stack([self.kept[name][unit] for name in self._names])
