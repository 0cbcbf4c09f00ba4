"""Pictures with boxes, labels and masks: changed at random for training, or only resized for evaluation."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.listed_pictures import ListedPictures, RandomPictures, listed_item
from stvit_video.data.loading.picture_source import PictureSource
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures, PictureRecord
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.transforms.annotated_ops import AnnotatedPicture, resized
from stvit_video.data.transforms.picture_sizes import DIVISOR, PictureSizes

__all__ = ["EvaluationPictures", "PictureTransform", "TrainingPictures"]


class PictureTransform(Protocol):
    """A picture with its objects -> the same, changed; anything random comes from the generator."""

    def __call__(self, sample: AnnotatedPicture, *, generator: torch.Generator) -> AnnotatedPicture: ...


class TrainingPictures(RandomPictures):
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
        super().__init__(pictures, seed=seed, max_attempts=max_attempts)
        self.source = PictureSource(pictures, masks=masks)
        self.sizes = sizes
        self.transform = transform
        self.max_objects = max_objects

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One training item.

        Returns:
            "picture" (3, h, w) float32, normalised; "target": "boxes" (N, 4) float32, x1, y1, x2, y2 in pixels of the
            picture, "labels" (N,) int64, "crowd" (N,) bool, all False, and "masks" (N, h, w) uint8 where they are
            asked for; "name", "picture_id", "original_size" (H, W), "sequence" and "frame_place" (see `FrameRecord`) of
            the picture that the item is from; "index", its number in the list, "num_skipped" and "skipped", see
            `read_or_replace`.

        Raises:
            BrokenVideosError: `max_attempts` pictures in a row can't be read.
        """
        read = self.read_some(index)
        return self.item_of(read.content, read.index) | read.facts()

    def read_sample(self, candidate: int, generator: torch.Generator) -> AnnotatedPicture:
        """A picture with its objects."""
        with self.reading_now.of(candidate):
            return self.source.read(candidate, learned_only=True, max_objects=self.max_objects, generator=generator)

    def changed(
        self, samples: Sequence[AnnotatedPicture], generator: torch.Generator
    ) -> list[tuple[AnnotatedPicture, tuple[int, int]]]:
        """The changed pictures with their objects, and the sizes that they had."""
        state, found = generator.get_state(), []
        for sample in samples:
            generator.set_state(state)
            found.append((self.transform(sample, generator=generator), sample.size))
        return found

    def item_of(self, content: tuple[AnnotatedPicture, tuple[int, int]], index: int) -> dict[str, Any]:
        """See `__getitem__`."""
        sample, original_size = content
        return _item(sample, self.manifest.records[index], original_size, self.sizes)


class EvaluationPictures(ListedPictures):
    """Each listed picture at the size of the test, with all its objects; nothing random, nothing replaced.

    Args:
        pictures: the list.
        sizes: of the test, and the normalisation.
        masks: whether items have masks.
    """

    def __init__(self, pictures: AnnotatedPictures, *, sizes: PictureSizes, masks: bool = False) -> None:
        super().__init__(pictures)
        self.source = PictureSource(pictures, masks=masks)
        self.sizes = sizes

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
            item = _item(nothing, record, record.stated_size, self.sizes)
            item["picture"].zero_()
            if not self.source.masks:
                del item["target"]["masks"]
            return item | {"index": index, "error": str(error)}
        scaled = resized(sample, self.sizes.size_of(*sample.size), antialias=self.sizes.antialias)
        return _item(scaled, record, sample.size, self.sizes) | {"index": index, "error": ""}


def _item(
    sample: AnnotatedPicture, record: VideoRecord, original_size: tuple[int, int], sizes: PictureSizes
) -> dict[str, Any]:
    assert isinstance(record, PictureRecord)
    target: dict[str, Tensor] = {"boxes": sample.boxes, "labels": sample.labels, "crowd": sample.crowd}
    if sample.masks is not None:
        target["masks"] = sample.masks.contiguous()
    own = {"target": target, "picture_id": record.picture_id}
    return listed_item(record, sample.picture, original_size=original_size, sizes=sizes) | own


def _nothing() -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """A small picture without objects: pixels, boxes, labels, crowd."""
    pixels = torch.zeros(3, DIVISOR, DIVISOR, dtype=torch.uint8)
    return pixels, torch.zeros(0, 4), torch.zeros(0, dtype=torch.int64), torch.zeros(0, dtype=torch.bool)
