"""Pictures with a label for each pixel: changed at random for training, or only resized for evaluation."""

from collections.abc import Sequence
from typing import Any, Protocol

import torch

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.listed_pictures import ListedPictures, RandomPictures, listed_item
from stvit_video.data.loading.map_source import MapSource
from stvit_video.data.manifests.label_rules import IGNORED
from stvit_video.data.manifests.manifest import VideoRecord
from stvit_video.data.manifests.mapped_pictures import MappedPictures, MapRecord
from stvit_video.data.transforms.map_sizes import MapSizes
from stvit_video.data.transforms.mapped_ops import MappedPicture, resized_map
from stvit_video.data.transforms.picture_sizes import DIVISOR

__all__ = ["EvaluationMaps", "MapTransform", "TrainingMaps"]


class MapTransform(Protocol):
    """Pictures with their labels -> the same, all changed by the same draws, which come from the generator."""

    def alike(self, samples: Sequence[MappedPicture], *, generator: torch.Generator) -> list[MappedPicture]: ...


class TrainingMaps(RandomPictures):
    """Each listed picture with its labels, changed at random.

    A picture that can't be read, or whose map can't be, is replaced by another one of the list, drawn at random, and
    counted. What an item is depends on (seed, epoch, index) only.

    Args:
        pictures: the list.
        transform: what is done to a picture, for example a `SegmentationTransform`.
        sizes: the normalisation.
        seed: 0 or more.
        max_attempts: pictures to try for one item before giving up; None = all that are listed, see `attempts_for`.

    Raises:
        ValueError: a setting is not allowed.
    """

    def __init__(
        self,
        pictures: MappedPictures,
        *,
        transform: MapTransform,
        sizes: MapSizes,
        seed: int = 0,
        max_attempts: int | None = None,
    ) -> None:
        super().__init__(pictures, seed=seed, max_attempts=max_attempts)
        self.source = MapSource(pictures)
        self.sizes = sizes
        self.transform = transform

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One training item.

        Returns:
            "picture" (3, h, w) float32, normalised; "map" (h, w) uint8, 255 = not counted; "name", "picture_id",
            "original_size" (H, W), "sequence" and "frame_place" (see `FrameRecord`) of the picture that the item is
            from; "index", its number in the list, "num_skipped" and "skipped", see `read_or_replace`.

        Raises:
            BrokenVideosError: `max_attempts` pictures in a row can't be read.
        """
        read = self.read_some(index)
        return self.item_of(read.content, read.index) | read.facts()

    def read_sample(self, candidate: int, generator: torch.Generator) -> MappedPicture:
        """A picture with its labels."""
        with self.reading_now.of(candidate):
            return self.source.read(candidate)

    def changed(
        self, samples: Sequence[MappedPicture], generator: torch.Generator
    ) -> list[tuple[MappedPicture, tuple[int, int]]]:
        """The changed pictures with their labels, and the sizes that they had."""
        found = self.transform.alike(samples, generator=generator)
        return [(own, sample.size) for own, sample in zip(found, samples, strict=True)]

    def item_of(self, content: tuple[MappedPicture, tuple[int, int]], index: int) -> dict[str, Any]:
        """See `__getitem__`."""
        sample, original_size = content
        item = _item(sample, self.manifest.records[index], original_size, self.sizes)
        return item | {"map": sample.labels.contiguous()}


class EvaluationMaps(ListedPictures):
    """Each listed picture at the size of the test, with its map at the size of the file; nothing random.

    Args:
        pictures: the list.
        sizes: of the test, and the normalisation.
    """

    def __init__(self, pictures: MappedPictures, *, sizes: MapSizes) -> None:
        super().__init__(pictures)
        self.source = MapSource(pictures)
        self.sizes = sizes

    def __getitem__(self, index: int) -> dict[str, Any]:
        """One item, as of `TrainingMaps`, without "map", "num_skipped" and "skipped".

        Returns:
            Further "true_map" (H, W) uint8 of the original size, and "error", empty when picture and map were read. Of
            others it says why, and picture and map are small ones without content.
        """
        record = self.manifest.records[index]
        try:
            with self.reading_now.of(index):
                sample = self.source.read(index)
        except DecodeError as error:
            pixels = torch.zeros(3, DIVISOR, DIVISOR, dtype=torch.uint8)
            nothing = MappedPicture(pixels, torch.full((DIVISOR, DIVISOR), IGNORED, dtype=torch.uint8))
            item = _item(nothing, record, nothing.size, self.sizes)
            item["picture"].zero_()
            return item | {"true_map": nothing.labels, "index": index, "error": str(error)}
        scaled = resized_map(sample, self.sizes.size_of(*sample.size), antialias=self.sizes.antialias)
        item = _item(scaled, record, sample.size, self.sizes)
        return item | {"true_map": sample.labels, "index": index, "error": ""}


def _item(
    sample: MappedPicture, record: VideoRecord, original_size: tuple[int, int], sizes: MapSizes
) -> dict[str, Any]:
    assert isinstance(record, MapRecord)
    item = listed_item(record, sample.picture, original_size=original_size, sizes=sizes)
    return item | {"picture_id": record.picture_id}
