"""Another file of the list in place of one that can't be read, for training."""

import logging
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Generic, TypeVar

import torch

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.frame_source import NO_FAULT_OF_THE_VIDEO
from stvit_video.utils.seeding import seeded_generator

__all__ = ["MIN_ATTEMPTS", "BrokenVideosError", "Readable", "attempts_for", "read_or_replace"]

NUM_REASONS_SHOWN = 3
MIN_ATTEMPTS = 10
FALSE_ALARM = 1e-12  # probability, for one item, of giving up a list that is no worse than allowed

T = TypeVar("T")
_log = logging.getLogger(__name__)


class BrokenVideosError(RuntimeError):
    """One video after the other could not be read; the message names the first of them."""

    def __init__(self, message: str) -> None:
        # a data loader puts the worker's whole traceback before it, and makes the error anew from that text
        super().__init__(message.rsplit(f"{type(self).__name__}: ", 1)[-1].strip())


@dataclass(frozen=True)
class Readable(Generic[T]):
    """What was read, its number in the list, how many were passed over before, and which and why."""

    content: T
    index: int
    num_skipped: int
    skipped: list[tuple[int, str]]

    def facts(self) -> dict[str, Any]:
        """The entries "index", "num_skipped" and "skipped" of an item."""
        return {"index": self.index, "num_skipped": self.num_skipped, "skipped": self.skipped}


def attempts_for(max_skipped_fraction: float) -> int | None:
    """Videos to try for one item, where this share of the listed ones may be unreadable.

    So many that a list with just this share unreadable makes an item fail with a probability below 1e-12.

    Args:
        max_skipped_fraction: 0 to 1.

    Returns:
        At least MIN_ATTEMPTS; None = all that are listed, because all but one may be unreadable.
    """
    if max_skipped_fraction == 1:
        return None
    if max_skipped_fraction == 0:
        return MIN_ATTEMPTS
    return max(MIN_ATTEMPTS, math.ceil(math.log(FALSE_ALARM) / math.log(max_skipped_fraction)))


def read_or_replace(
    read: Callable[[int, torch.Generator], T],
    index: int,
    *,
    num_listed: int,
    seed: int,
    epoch: int,
    max_attempts: int | None,
    kind: str = "video",
) -> Readable[T]:
    """Read a file of a list; one that can't be read is replaced by another one, drawn at random.

    Args:
        read: (number in the list, source of its draws) -> content, or a DecodeError.
        index: number of the wanted one.
        num_listed: how many there are.
        seed: with epoch and index, what the draws follow from.
        epoch: of the training.
        max_attempts: how many to try before giving up; None = all that are listed.
        kind: of the files, for messages.

    Returns:
        The content. Those whose bytes or decoding process were lost by no fault of theirs are counted, not named.

    Raises:
        BrokenVideosError: as many in a row can't be read.
    """
    skipped: list[tuple[int, str]] = []
    reasons: list[str] = []
    for attempt, candidate in enumerate(_candidates(index, num_listed, seed, epoch, max_attempts)):
        try:
            # a generator for each attempt: how far a failed one got must not matter
            content = read(candidate, seeded_generator(seed, epoch, index, attempt))
        except DecodeError as error:
            reasons.append(str(error))
            if isinstance(error, NO_FAULT_OF_THE_VIDEO):
                _log.warning("%s; another %s takes its place this once", error, kind)
            else:
                skipped.append((candidate, str(error)))
            continue
        return Readable(content, candidate, attempt, skipped)
    more = len(reasons) - NUM_REASONS_SHOWN
    raise BrokenVideosError(
        f"{len(reasons)} {kind}s in a row can't be read; check the data set: "
        + "; ".join(reasons[:NUM_REASONS_SHOWN])
        + (f"; and {more} more" if more > 0 else "")
    )


def _candidates(index: int, num_listed: int, seed: int, epoch: int, max_attempts: int | None) -> Iterator[int]:
    """`index`, then others in random order, at most `max_attempts` in all."""
    yield index
    order = torch.randperm(num_listed, generator=seeded_generator(seed, epoch, index))
    others = (other for other in order.tolist() if other != index)
    yield from others if max_attempts is None else islice(others, max_attempts - 1)
