"""Losses that are NaN or infinite: whose they are, how many in a row, and what they leave behind."""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, distributed, nn

MAX_NAMED = 16  # videos in a message


class NonFiniteGuard:
    """Finds batches whose loss is not finite, in any process, and counts how many come in a row.

    All processes learn of it in the same step, so that they skip, or stop, together.

    Args:
        max_in_a_row: so many in a row are too many; 1 = the first one is.
        name_of: from the index of a training video to its name.
    """

    def __init__(self, *, max_in_a_row: int, name_of: Callable[[int], str]) -> None:
        self.max_in_a_row = max_in_a_row
        self.name_of = name_of
        self.in_a_row = self.total = 0

    def check(self, loss: Tensor, indices: Tensor) -> str:
        """Count a batch; every process must call this for every batch.

        Args:
            loss: of the batch, a number.
            indices: (B,) of its videos.

        Returns:
            "" where the loss is finite in all processes; else what it is and on which videos, in those where it is not.
        """
        finite = bool(torch.isfinite(loss))
        if not _any_process(not finite, loss.device):
            self.in_a_row = 0
            return ""
        self.in_a_row += 1
        self.total += 1
        own = "" if finite else f"{loss.item()} on the training videos {self._names(indices.tolist())}"
        return "; ".join(found for found in _of_all_processes(own) if found)

    @property
    def too_many(self) -> bool:
        """Whether the last batches in a row are more than can be skipped."""
        return self.in_a_row >= self.max_in_a_row

    def _names(self, indices: list[int]) -> str:
        distinct = list(dict.fromkeys(indices))  # repeats of a video are one video
        more = f" and {len(distinct) - MAX_NAMED} more" if len(distinct) > MAX_NAMED else ""
        return ", ".join(self.name_of(index) for index in distinct[:MAX_NAMED]) + more

    def state_dict(self) -> dict[str, int]:
        """The counts, for a checkpoint."""
        return {"in_a_row": self.in_a_row, "total": self.total}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Inverse of `state_dict`."""
        self.in_a_row, self.total = state["in_a_row"], state["total"]


class KeptBuffers:
    """What a forward pass in training changes of a model beside gradients: running statistics of batch norms.

    Args:
        model: whose buffers are kept now; NaN in a batch would stay in them for ever.
    """

    def __init__(self, model: nn.Module) -> None:
        self._buffers = list(model.buffers())
        self._before = [buffer.clone() for buffer in self._buffers]

    def restore(self) -> None:
        """Put back what was kept."""
        for buffer, before in zip(self._buffers, self._before, strict=True):
            buffer.copy_(before)


def drop_gradients(parameters: Iterable[Tensor]) -> None:
    """Take all gradients away, so that an optimizer's next step changes nothing."""
    for parameter in parameters:
        parameter.grad = None


def _any_process(found: bool, device: torch.device) -> bool:
    if not (distributed.is_available() and distributed.is_initialized()):
        return found
    flag = torch.tensor(int(found), device=device)
    distributed.all_reduce(flag, op=distributed.ReduceOp.MAX)
    return bool(flag)


def _of_all_processes(own: str) -> list[str]:
    if not (distributed.is_available() and distributed.is_initialized()):
        return [own]
    parts: list[Any] = [None] * distributed.get_world_size()
    distributed.all_gather_object(parts, own)
    return parts
