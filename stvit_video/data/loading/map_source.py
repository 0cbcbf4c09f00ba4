"""Listed pictures with their label maps, read from files or archives."""

import torch

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.picture_reader import open_image
from stvit_video.data.manifests.label_rules import LabelMapError
from stvit_video.data.manifests.mapped_pictures import MappedPictures, MapRecord
from stvit_video.data.transforms.mapped_ops import MappedPicture
from stvit_video.utils.open_files import refuse_for_open_files

__all__ = ["MapSource", "map_misfit", "map_size_fault"]


class MapSource:
    """Reads listed pictures and their maps; what turned out to be broken is remembered and not opened again.

    Args:
        pictures: the list.
    """

    def __init__(self, pictures: MappedPictures) -> None:
        self.pictures = pictures
        self._broken: dict[int, str] = {}

    def read(self, index: int) -> MappedPicture:
        """A listed picture with its labels, at the size of its file.

        Args:
            index: its number in the list.

        Raises:
            DecodeError: picture or map can't be read, they differ in size, or the map holds what has no label.
            OpenFilesError: too many files are open, which is no fault of the picture.
        """
        if index in self._broken:
            raise DecodeError(self._broken[index])
        try:
            return self._read(index)
        except (DecodeError, LabelMapError) as error:
            refuse_for_open_files(error)
            self._broken[index] = str(error)
            raise DecodeError(str(error)) from error

    def _read(self, index: int) -> MappedPicture:
        record = self.pictures.records[index]
        assert isinstance(record, MapRecord)
        with open_image(record) as picture:
            frame = torch.from_numpy(picture.read([0])[0]).permute(2, 0, 1).contiguous()  # (3, H, W)
        labels = torch.from_numpy(self.pictures.read_map(index))
        if fault := map_size_fault(record, (frame.shape[1], frame.shape[2]), (labels.shape[0], labels.shape[1])):
            raise DecodeError(fault)
        return MappedPicture(frame, labels)


def map_size_fault(record: MapRecord, picture: tuple[int, int], labels: tuple[int, int]) -> str:
    """Why a map can't be that of its picture, and what to do, see `map_misfit`; "" = the sizes are the same."""
    misfit = map_misfit(record, picture, labels)
    return "" if misfit is None else "; ".join(misfit)


def map_misfit(record: MapRecord, picture: tuple[int, int], labels: tuple[int, int]) -> tuple[str, str] | None:
    """Why a map can't be that of its picture, and what to do; None = the sizes are the same.

    Args:
        record: the listed picture.
        picture: height and width of the upright picture in pixels.
        labels: those of the map.
    """
    if picture == labels:
        return None
    (height, width), (tall, wide) = picture, labels
    what = f"{record.place!r} is {width}x{height} pixels, its label map {record.map_file.place!r} {wide}x{tall}"
    if (tall, wide) == (width, height):
        way_out = "where the EXIF of a picture turns it, remove the orientation from the file, or turn the map"
        return f"{what}: width and height are exchanged", way_out
    return what, "give a picture the map that was drawn on it, or scale the map with its nearest pixels"
