"""What data sets of listed pictures share, whatever is known of the pictures: boxes, masks or label maps."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import torch
from torch import Tensor
from torch.utils.data import Dataset

from stvit_video.data.loading.replacements import Readable, read_or_replace
from stvit_video.data.loading.worker_crashes import ReadingNow, shared_where_it_fits
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.manifests.picture_sequences import FrameRecord
from stvit_video.data.transforms.functional import normalise

__all__ = ["ListedPictures", "Normalisation", "RandomPictures", "listed_item", "normalised"]

Sample = TypeVar("Sample")


class Normalisation(Protocol):
    """What the channels of pictures are normalised with, for values in 0..1."""

    @property
    def mean(self) -> tuple[float, ...]: ...

    @property
    def std(self) -> tuple[float, ...]: ...


class ListedPictures(Dataset[dict[str, Any]]):
    """Each picture of a list once, in order.

    Attributes:
        manifest: the list.
        reading_now: which picture each loader process is reading.
    """

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self.reading_now = ReadingNow()

    def share_memory(self) -> None:
        """Put what loader processes write into shared memory, also where that was full before.

        Raises:
            RuntimeError: it is full still.
        """
        self.reading_now.share_memory()

    def __len__(self) -> int:
        return len(self.manifest.records)


class RandomPictures(ListedPictures):
    """Listed pictures that are changed at random; one that can't be read is replaced by another one and counted.

    What an item is depends on (seed, epoch, index) only.

    Args:
        manifest: the list.
        seed: 0 or more.
        max_attempts: pictures to try for one item before giving up; None = all that are listed, see `attempts_for`.

    Raises:
        ValueError: a setting is not allowed.
    """

    def __init__(self, manifest: Manifest, *, seed: int, max_attempts: int | None) -> None:
        if seed < 0 or (max_attempts is not None and max_attempts < 1):
            raise ValueError(f"seed={seed} must be at least 0, max_attempts={max_attempts} at least 1")
        super().__init__(manifest)
        self.seed = seed
        self.max_attempts = max_attempts
        # in shared memory: workers that live on from epoch to epoch hold a copy of self, but see this
        self._epoch = shared_where_it_fits(torch.zeros(1, dtype=torch.int64))

    def share_memory(self) -> None:
        """Put what loader processes write and read meanwhile into shared memory."""
        super().share_memory()
        self._epoch.share_memory_()

    @property
    def epoch(self) -> int:
        """The epoch that was set last."""
        return int(self._epoch)

    def set_epoch(self, epoch: int) -> None:
        """Draw otherwise from now on, also in workers that run already; call it between two epochs."""
        self._epoch[0] = epoch

    def read_some(self, index: int) -> Readable[Any]:
        """The changed picture of a number in the list, or of the one that replaces it, see `read_or_replace`.

        Raises:
            BrokenVideosError: `max_attempts` pictures in a row can't be read.
        """
        return read_or_replace(
            self.read_one,
            index,
            num_listed=len(self),
            seed=self.seed,
            epoch=self.epoch,
            max_attempts=self.max_attempts,
            kind="picture",
        )

    def read_one(self, candidate: int, generator: torch.Generator) -> Any:
        """Read a picture of the list and change it.

        Args:
            candidate: its number.
            generator: source of the draws.

        Raises:
            DecodeError: it can't be read.
        """
        (content,) = self.changed([self.read_sample(candidate, generator)], generator)
        return content

    @abstractmethod
    def read_sample(self, candidate: int, generator: torch.Generator) -> Any:
        """Read a picture of the list.

        Args:
            candidate: its number.
            generator: source of the draws, where not all that is known of it is wanted.

        Raises:
            DecodeError: it can't be read.
        """

    @abstractmethod
    def changed(self, samples: Sequence[Any], generator: torch.Generator) -> list[Any]:
        """Change pictures that were read, all of them by the same draws.

        Args:
            samples: what `read_sample` gives.
            generator: source of the draws.
        """

    @abstractmethod
    def item_of(self, content: Any, index: int) -> dict[str, Any]:
        """The item of a changed picture, without what is told of the pictures that it replaces.

        Args:
            content: one of what `changed` gives.
            index: number of the picture in the list.
        """


def listed_item(
    record: FrameRecord, picture: Tensor, *, original_size: tuple[int, int], sizes: Normalisation
) -> dict[str, Any]:
    """What the items of all data sets of pictures have.

    Args:
        record: the listed picture.
        picture: (3, h, w) uint8, as it was read and changed.
        original_size: height and width of its file in pixels.
        sizes: the normalisation.
    """
    return {
        "picture": normalised(picture, sizes),
        "name": record.video_id,
        "original_size": original_size,
        "sequence": record.sequence,
        "frame_place": record.frame_place,
    }


def normalised(picture: Tensor, sizes: Normalisation) -> Tensor:
    """Picture (3, h, w) uint8 -> float32, as the model takes it."""
    return normalise(picture[:, None], mean=sizes.mean, std=sizes.std)[:, 0]
