"""A folder of classes without parts for training and validation: a share of the videos is held back."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stvit_video.data.manifests.builder import Listed, build_manifest_of
from stvit_video.data.manifests.faults import Faults
from stvit_video.data.manifests.holding_back import SplitBy, hold_back, part_of
from stvit_video.data.manifests.manifest import Manifest


class ReadsAll(Protocol):
    """Reads a folder that holds a folder for each class."""

    def __call__(self, root: Path, *, classes: Sequence[str] | None = None) -> Manifest:
        """All videos of the folder."""


@dataclass(frozen=True)
class Undivided:
    """Reads one part of a folder of classes that has no parts.

    Attributes:
        part: "train" or "val".
        folder: holds a folder for each class.
        read: what reads a folder of classes.
        classes: class names in the order of the labels; None = the folder names, sorted.
        fraction: share that is held back, see `stvit_video.data.manifests.holding_back.hold_back`.
        by: likewise.
    """

    part: str
    folder: Path
    read: ReadsAll
    classes: Sequence[str] | None
    fraction: float
    by: SplitBy

    def __call__(self) -> Manifest:
        """The videos of the part, divided by the names alone.

        Raises:
            ManifestError: every fault of the folder, or classes that can't be divided.
        """
        whole = self.read_all()
        return part_of(whole, hold_back(whole, fraction=self.fraction, by=self.by), self.part)

    def read_all(self) -> Manifest:
        """The videos of both parts.

        Raises:
            ManifestError: every fault of the folder.
        """
        return self.read(self.folder, classes=self.classes)

    def read_named(self, names: Sequence[str], *, classes: Sequence[str] | None = None) -> Manifest:
        """The videos of these names, whether they are there or not; the folder is not read.

        Args:
            names: paths of the videos as the folder's manifest writes them, `class/file`.
            classes: in place of the own ones.

        Raises:
            ManifestError: a label that is none of the classes.
        """
        listed = [Listed(0, name, self.folder / name, name.partition("/")[0]) for name in names]
        return build_manifest_of(listed, classes or self.classes, Faults(self.folder))
