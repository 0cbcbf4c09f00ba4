"""Pictures with boxes, labels and masks: changed at random for training, or only resized for evaluation."""

from typing import Any, Protocol

import torch
from torch import Tensor
from torch.utils.data import Dataset

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.picture_source import PictureSource
from stvit_video.data.loading.replacements import read_or_replace
from stvit_video.data.loading.worker_crashes import ReadingNow, shared_where_it_fits
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures, PictureRecord
from stvit_video.data.transforms.annotated_ops import AnnotatedPicture, resized
from stvit_video.data.transforms.functional import normalise
from stvit_video.data.transforms.picture_sizes import DIVISOR, PictureSizes

__all__ = ["EvaluationPictures", "PictureTransform", "TrainingPictures"]


class PictureTransform(Protocol):
    """A picture with its objects -> the same, changed; anything random comes from the generator."""

    def __call__(self, sample: AnnotatedPicture, *, generator: torch.Generator) -> AnnotatedPicture: ...


class _Pictures(Dataset[dict[str, Any]]):
    """What training and evaluation share.

    Attributes:
        manifest: the list.
        reading_now: which picture each loader process is reading.
    """

    def __init__(self, pictures: AnnotatedPictures, *, sizes: PictureSizes, masks: bool) -> None:
        self.manifest = pictures
        self.sizes = sizes
        self.reading_now = ReadingNow()
        self.source = PictureSource(pictures, masks=masks)

    def share_memory(self) -> None:
        """Put what loader processes write into shared memory, also where that was full before.

        Raises:
            RuntimeError: it is full still.
        """
        self.reading_now.share_memory()

    def __len__(self) -> int:
        return len(self.manifest.records)

    def _item(self, sample: AnnotatedPicture, index: int, original_size: tuple[int, int]) -> dict[str, Any]:
        record = self.manifest.records[index]
        assert isinstance(record, PictureRecord)
        target: dict[str, Tensor] = {"boxes": sample.boxes, "labels": sample.labels, "crowd": sample.crowd}
        if sample.masks is not None:
            target["masks"] = sample.masks.contiguous()
        return {
            "picture": normalised(sample.picture, self.sizes),
            "target": target,
            "name": record.video_id,
            "picture_id": record.picture_id,
            "original_size": original_size,
        }


class TrainingPictures(_Pictures):
    """Each listed picture, changed at random, with the objects that can be learned from; crowds are left out.

    A picture that can't be read is replaced by another one of the list, drawn at random, and counted. What an item is
    depends on (seed, epoch, index) only.

    Args:
        pictures: the list.
        transform: what is done to a picture, for example a `DetectionTransform`.
        sizes: the normalisation.
        masks: whether items have masks.
        seed: 0 or more.
        max_attempts: pictures to try for one item before giving up; None = all that are listed, see `attempts_for`.
        max_objects: of a picture; of more, as many are drawn at random, see `object_limit`. None = any number.

    Raises:
        ValueError: a setting is not allowed.
    """

    def __init__(
        self,
        pictures: AnnotatedPictures,
        *,
        transform: PictureTransform,
        sizes: PictureSizes,
        masks: bool = False,
        seed: int = 0,
        max_attempts: int | None = None,
        max_objects: int | None = None,
    ) -> None:
        if seed < 0 or (max_attempts is not None and max_attempts < 1):
            raise ValueError(f"seed={seed} must be at least 0, max_attempts={max_attempts} at least 1")
        super().__init__(pictures, sizes=sizes, masks=masks)
        self.transform = transform
        self.seed = seed
        self.max_attempts = max_attempts
        self.max_objects = max_objects
        # in shared memory: workers that live on from epoch to epoch hold a copy of self, but see this
        self._epoch = shared_where_it_fits(torch.zeros(1, dtype=torch.int64))

    def share_memory(self) -> None:
        """Put what loader processes write and read meanwhile into shared memory."""
        super().share_memory()
        self._epoch.share_memory_()

    def set_epoch(self, epoch: int) -> None:
        """Draw otherwise from now on, also in workers that run already; call it between two epochs."""
        self._epoch[0] = epoch

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One training item.

        Returns:
            "picture" (3, h, w) float32, normalised; "target": "boxes" (N, 4) float32, x1, y1, x2, y2 in pixels of the
            picture, "labels" (N,) int64, "crowd" (N,) bool, all False, and "masks" (N, h, w) uint8 where they are
            asked for; "name", "picture_id" and "original_size" (H, W) of the picture that the item is from; "index",
            its number in the list, "num_skipped" and "skipped", see `read_or_replace`.

        Raises:
            BrokenVideosError: `max_attempts` pictures in a row can't be read.
        """
        read = read_or_replace(
            self._read,
            index,
            num_listed=len(self),
            seed=self.seed,
            epoch=int(self._epoch),
            max_attempts=self.max_attempts,
            kind="picture",
        )
        sample, original_size = read.content
        return self._item(sample, read.index, original_size) | read.facts()

    def _read(self, candidate: int, generator: torch.Generator) -> tuple[AnnotatedPicture, tuple[int, int]]:
        with self.reading_now.of(candidate):
            sample = self.source.read(candidate, learned_only=True, max_objects=self.max_objects, generator=generator)
            return self.transform(sample, generator=generator), sample.size


class EvaluationPictures(_Pictures):
    """Each listed picture at the size of the test, with all its objects; nothing random, nothing replaced.

    Args:
        pictures: the list.
        sizes: of the test, and the normalisation.
        masks: whether items have masks.
    """

    def __init__(self, pictures: AnnotatedPictures, *, sizes: PictureSizes, masks: bool = False) -> None:
        super().__init__(pictures, sizes=sizes, masks=masks)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One item, as of `TrainingPictures`; without "num_skipped" and "skipped", with crowds, and with "error".

        Returns:
            "error" is empty when the picture was read. Of one that can't be read it says why, "picture" is a small
            zero, "original_size" what the annotations state, and "target" has no objects.
        """
        record = self.manifest.records[index]
        assert isinstance(record, PictureRecord)
        try:
            with self.reading_now.of(index):
                sample = self.source.read(index, learned_only=False)
        except DecodeError as error:
            nothing = AnnotatedPicture(*_nothing(), torch.zeros(0, DIVISOR, DIVISOR, dtype=torch.uint8))
            item = self._item(nothing, index, record.stated_size)
            item["picture"].zero_()
            if not self.source.masks:
                del item["target"]["masks"]
            return item | {"index": index, "error": str(error)}
        scaled = resized(sample, self.sizes.size_of(*sample.size), antialias=self.sizes.antialias)
        return self._item(scaled, index, sample.size) | {"index": index, "error": ""}


def normalised(picture: Tensor, sizes: PictureSizes) -> Tensor:
    """Picture (3, h, w) uint8 -> float32, as the model takes it."""
    return normalise(picture[:, None], mean=sizes.mean, std=sizes.std)[:, 0]


def _nothing() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A small picture without objects: pixels, boxes, labels, crowd."""
    pixels = torch.zeros(3, DIVISOR, DIVISOR, dtype=torch.uint8)
    return pixels, torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.bool)
