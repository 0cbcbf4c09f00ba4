"""Listed pictures with their objects, read from files or archives."""

import numpy as np
import torch

from stvit_video.data.decoding.pictures import LYING, read_header
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.segmentations import segmentation_mask
from stvit_video.data.loading.picture_reader import open_image
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures, PictureObjects, PictureRecord, object_limit
from stvit_video.data.shards.picture_files import read_picture
from stvit_video.data.transforms.annotated_ops import AnnotatedPicture, only
from stvit_video.utils.open_files import refuse_for_open_files

__all__ = ["PictureSource", "size_fault"]


class PictureSource:
    """Reads listed pictures; what turned out to be broken is remembered and not opened again.

    Args:
        pictures: the list.
        masks: whether outlines are made masks.
    """

    def __init__(self, pictures: AnnotatedPictures, *, masks: bool) -> None:
        self.pictures = pictures
        self.masks = masks
        self._broken: dict[int, str] = {}

    def read(
        self,
        index: int,
        *,
        learned_only: bool,
        max_objects: int | None = None,
        generator: torch.Generator | None = None,
    ) -> AnnotatedPicture:
        """A listed picture with its objects, at the size of its file.

        Args:
            index: its number in the list.
            learned_only: leave out crowds, boxes without an area, and where masks are wanted objects without an
                outline that can be used.
            max_objects: of more that can be learned, as many are drawn before masks are made, see `object_limit`;
                None = any number.
            generator: source of this draw.

        Raises:
            DecodeError: it can't be read, or its size is not that of the annotations.
            OpenFilesError: too many files are open, which is no fault of the picture.
        """
        if index in self._broken:
            raise DecodeError(self._broken[index])
        record = self.pictures.records[index]
        assert isinstance(record, PictureRecord)
        try:
            frame = self._frame(record)
        except DecodeError as error:
            refuse_for_open_files(error)
            self._broken[index] = str(error)
            raise
        objects = self.pictures.objects_of(record, outlines=self.masks)
        if learned_only:
            objects = objects.only(objects.sound & ~objects.crowd)
            limit = object_limit(record.stated_size, max_objects=max_objects, masks=self.masks)
            objects = objects.only(_drawn(len(objects.labels), limit, generator))
        masks, usable = _masks(objects, record) if self.masks else (None, None)
        sample = AnnotatedPicture(
            frame,
            torch.from_numpy(objects.boxes).float(),
            torch.from_numpy(objects.labels.copy()),
            torch.from_numpy(objects.crowd.copy()),
            masks,
        )
        return only(sample, usable) if learned_only and usable is not None else sample

    @staticmethod
    def _frame(record: PictureRecord) -> torch.Tensor:
        with open_image(record) as picture:
            if fault := size_fault(record, (picture.height, picture.width)):
                raise DecodeError(fault)
            return torch.from_numpy(picture.read([0])[0]).permute(2, 0, 1).contiguous()  # (3, H, W)


def size_fault(record: PictureRecord, size: tuple[int, int]) -> str:
    """Why the boxes of a picture can't be those of its file; "" = the sizes are the same.

    Args:
        record: with the size that the annotations state.
        size: height and width of the upright picture in pixels.
    """
    (tall, wide), (height, width) = record.stated_size, size
    if (tall, wide) == (height, width):
        return ""
    start = f"{record.place!r} is {width}x{height} pixels, its annotations are for {wide}x{tall}"
    if (tall, wide) == (width, height) and _is_turned(record):
        return (
            f"{start}: it was annotated lying, and is turned as its EXIF says; annotate the upright picture, or "
            "remove the EXIF orientation from the file"
        )
    if (tall, wide) == (width, height):
        return f"{start}: width and height are exchanged; correct them, or check that this is the annotated picture"
    return f"{start}; annotate the picture as it is, or correct its width and height in the annotations"


def _is_turned(record: PictureRecord) -> bool:
    """Whether the EXIF of the file exchanges height and width."""
    try:
        return read_header(read_picture(record), name=record.place).turn in LYING
    except DecodeError:
        return False


def _drawn(count: int, limit: int, generator: torch.Generator | None) -> np.ndarray:
    """Positions of at most `limit` of `count` objects, in order."""
    if count <= limit:
        return np.arange(count)
    return torch.randperm(count, generator=generator)[:limit].sort().values.numpy()


def _masks(objects: PictureObjects, record: PictureRecord) -> tuple[torch.Tensor, torch.Tensor]:
    """Masks (N, H, W) uint8, and (N,) bool, False = the object has no outline that can be used, and an empty mask."""
    height, width = record.stated_size
    outlines = objects.segmentations or [None] * len(objects.labels)
    masks, usable = torch.zeros(len(outlines), height, width, dtype=torch.uint8), torch.ones(len(outlines)).bool()
    for number, outline in enumerate(outlines):
        try:
            masks[number] = torch.from_numpy(segmentation_mask(outline, height=height, width=width))
        except ValueError:  # counted when the list was checked
            usable[number] = False
    return masks, usable
