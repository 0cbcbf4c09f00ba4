"""Listed pictures with a label for each pixel."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stvit_video.data.manifests.class_names import ClassNames
from stvit_video.data.manifests.label_rules import LabelRules
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.manifests.picture_sequences import FrameRecord

__all__ = ["MapRecord", "MappedPictures", "ReadMap"]

ReadMap = Callable[
    [VideoRecord, bool], NDArray[np.integer]
]  # (file, whether as colours) -> (H, W) values, or (H, W, 3)


@dataclass(frozen=True, kw_only=True)
class MapRecord(FrameRecord):
    """One listed picture and its label map.

    Attributes:
        picture_id: its name without the ending, as the list has it.
        map_file: the label map.
    """

    picture_id: str
    map_file: VideoRecord


@dataclass(frozen=True, kw_only=True)
class MappedPictures(Manifest):
    """A list of pictures, each with a map of labels.

    Attributes:
        records: `MapRecord`s.
        read_file: reads the file of a map.
        rules: which label its values have.
        names: of the values, as the data set names them; None = it does not.
        faults: what was found that keeps the list from being used, for whoever uses it to raise with other faults.
        warnings: what was found that does not.
    """

    read_file: ReadMap = field(compare=False, repr=False)
    rules: LabelRules = field(default=LabelRules({}), repr=False)
    names: ClassNames | None = field(default=None, repr=False)
    faults: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def pictures(self) -> tuple[MapRecord, ...]:
        """The records."""
        return tuple(record for record in self.records if isinstance(record, MapRecord))

    def read_map(self, index: int) -> NDArray[np.uint8]:
        """The labels of a listed picture.

        Args:
            index: its number in the list.

        Returns:
            (H, W), labels of `classes`, or IGNORED (255) for pixels that are not counted.

        Raises:
            DecodeError: the file can't be read.
            LabelMapError: it holds what has no label.
        """
        record = self._record(index)
        return self.rules.labels_of(self.read_stored(index), name=record.map_file.place)

    def read_stored(self, index: int) -> NDArray[np.integer]:
        """The map of a listed picture as it is stored, (H, W) values or (H, W, 3) colours.

        Args:
            index: its number in the list.

        Raises:
            DecodeError: the file can't be read.
        """
        return self.read_file(self._record(index).map_file, self.rules.of_colours)

    def _record(self, index: int) -> MapRecord:
        record = self.records[index]
        assert isinstance(record, MapRecord)
        return record
