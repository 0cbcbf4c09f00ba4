"""Listed videos, their labels, and what two lists must have in common."""

from dataclasses import dataclass
from pathlib import Path

from stvit_video.data.manifests.faults import NUM_FAULTS_SHOWN, ManifestError

# the `label` of a record that can have several: out of range of any class list, so that whoever takes it for a class
# fails at once (-1 would be the last class)
NO_SINGLE_LABEL = 2**31 - 1


@dataclass(frozen=True)
class VideoRecord:
    """One listed video, or one segment of it.

    Attributes:
        path: where the file is.
        label: index in the manifest's classes; NO_SINGLE_LABEL in a multi-label list.
        video_id: the path as the manifest writes it, with "#t=start,end" (seconds) for a segment; unique.
        start_seconds: begin of the segment; None = begin of the file.
        end_seconds: end of the segment; None = end of the file.
        member: name in the archive that `path` is (a .tar shard, a .zip); "" = `path` is the file itself.
        byte_range: first byte of the member in the archive, and how many; None = not known.
        address: where the archive is, e.g. "s3://bucket/000.tar", if it is no local file; then `path` is only its name.
        labels: indices of all its labels, sorted; filled in where there is a single label.
        is_picture: whether the file is a picture, which is read as a video of one frame.

    Raises:
        ValueError: `label` and `labels` contradict each other, or `labels` is not sorted or holds a double.
    """

    path: Path
    label: int
    video_id: str
    start_seconds: float | None = None
    end_seconds: float | None = None
    member: str = ""
    byte_range: tuple[int, int] | None = None
    address: str = ""
    labels: tuple[int, ...] = ()
    is_picture: bool = False

    def __post_init__(self) -> None:
        if self.label != NO_SINGLE_LABEL and not self.labels:
            object.__setattr__(self, "labels", (self.label,))
        elif self.label != NO_SINGLE_LABEL and self.labels != (self.label,):
            raise ValueError(
                f"label={self.label} contradicts labels={self.labels}; give one of them, and label=NO_SINGLE_LABEL "
                "where there may be several"
            )
        elif list(self.labels) != sorted(set(self.labels)):
            raise ValueError(f"labels={self.labels} must be sorted, each of them once")

    @property
    def place(self) -> str:
        """The file, or the archive and the name in it, in words; also what tells files apart."""
        archive = self.address or str(self.path)
        return f"{archive}: {self.member}" if self.member else archive


@dataclass(frozen=True)
class Manifest:
    """The listed videos in the order of the list, and the class names that their labels index.

    Attributes:
        records: the videos.
        classes: the names.
        multi_label: True = a video can have no label, one, or several; False = each has one.
    """

    records: tuple[VideoRecord, ...]
    classes: tuple[str, ...]
    multi_label: bool = False

    def label_names(self, record: VideoRecord) -> tuple[str, ...]:
        """The names of all labels of a record."""
        return tuple(self.classes[label] for label in record.labels)


def check_classes(train: Manifest, val: Manifest) -> None:
    """Make sure that what `val` holds can be learned from `train`, under the same labels.

    Raises:
        ManifestError: one of them is multi-label and the other not, a class of a `val` video has no `train` video,
            the two number classes differently, or no `val` video has any label.
    """
    if train.multi_label != val.multi_label:
        one, other = ("training", "validation") if train.multi_label else ("validation", "training")
        raise ManifestError(
            f"the {one} list is multi-label and the {other} list has one label a video; "
            "read both with the same label_separator"
        )
    learned = {name for record in train.records for name in train.label_names(record)}
    shown = {name for record in val.records for name in val.label_names(record)}
    if val.records and not shown:
        raise ManifestError(f"not one of {len(val.records)} validation videos has a label; name what they show")
    lacking = sorted(shown - learned)
    if lacking:
        names = ", ".join(repr(name) for name in lacking[:NUM_FAULTS_SHOWN])
        raise ManifestError(
            f"{len(lacking)} class(es) of the validation videos have no training video: {names}"
            f"{', ...' if len(lacking) > NUM_FAULTS_SHOWN else ''}; add training videos or remove the classes"
        )
    if train.classes != val.classes:
        raise ManifestError(
            f"the training manifest has {len(train.classes)} classes, the validation manifest "
            f"{len(val.classes)}, or in another order; "
            "read the validation manifest with classes=<the training manifest's classes>"
        )


def require_one_frame(manifest: Manifest, *, num_frames: int) -> None:
    """Raise where pictures would be shown as clips of several frames, all the same.

    Args:
        manifest: what is to be shown.
        num_frames: frames of a clip.

    Raises:
        ValueError: clips of several frames, and a listed picture.
    """
    pictures = [record for record in manifest.records if record.is_picture] if num_frames > 1 else []
    if pictures:
        raise ValueError(
            f"{pictures[0].place} is a picture, and the model takes clips of {num_frames} frames; give videos, or a "
            "checkpoint of an image model"
        )
