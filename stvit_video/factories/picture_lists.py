"""Build lists of pictures with boxes from the `data` settings, and say what is wrong with them."""

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, get_type_hints

from stvit_video.data.layouts.segmentation_checks import check_segmentations
from stvit_video.data.loading.picture_checks import check_copies, check_files
from stvit_video.data.loading.picture_options import PictureOptions, picture_options
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures
from stvit_video.data.manifests.annotation_counts import check_categories, check_counts, check_parts
from stvit_video.data.manifests.findings import Findings
from stvit_video.data.manifests.picture_sequences import in_sequences
from stvit_video.data.manifests.quarantine import drop_quarantined
from stvit_video.factories.layout_settings import PICTURE_OPTIONS
from stvit_video.factories.manifests import absolute_paths, find_manifest
from stvit_video.factories.picture_frames import find_frame_options

__all__ = ["annotation_findings", "build_pictures", "file_findings", "find_options", "read_pictures", "source_names"]

WITHOUT_NUMBERS = ("voc_boxes",)  # layouts whose files name classes and don't number them
MAX_COMPARED = 5000  # files whose bytes are compared before a training; the doctor compares all
_log = logging.getLogger(__name__)


def read_pictures(
    data: Mapping[str, Any], parts: Sequence[str], *, classes: tuple[str, ...] | None = None
) -> dict[str, AnnotatedPictures]:
    """Read the lists of some parts, pictures that are not there included.

    Args:
        data: the `data` group of the configuration.
        parts: of "train" and "val", in this order.
        classes: names that the categories must have, in this order, for example those of a checkpoint; None = any.

    Raises:
        ValueError: the layout has no boxes, or as `find_manifest`.
        ManifestError: faults in the annotations.
    """
    source = data["source"]
    if source not in PICTURE_OPTIONS:
        raise ValueError(
            f"data.source={source} has no boxes; give annotated pictures: {source_names(PICTURE_OPTIONS, classes)}"
        )
    found: dict[str, AnnotatedPictures] = {}
    for part in parts:
        if found and source in WITHOUT_NUMBERS:
            classes = next(iter(found.values())).classes
        pictures = find_manifest(data, part, classes=classes)()
        assert isinstance(pictures, AnnotatedPictures)
        found[part] = in_sequences(pictures, find_frame_options(data).sequences)
    return found


def source_names(layouts: Iterable[str], classes: tuple[str, ...] | None) -> str:
    """The settings that choose one of some layouts; an evaluation, which holds to classes, has no groups of settings.

    Args:
        layouts: their names.
        classes: of the checkpoint; None = no evaluation.
    """
    return ", ".join(f"{'data' if classes is None else 'data.source'}={name}" for name in layouts)


def annotation_findings(
    pictures: Mapping[str, AnnotatedPictures], *, masks: bool, max_objects: int | None = None
) -> Findings:
    """What the checks find in annotations, reading included; no picture is looked into.

    Args:
        pictures: part -> its list.
        masks: whether outlines are needed.
        max_objects: of a picture in training; None = any number.
    """
    found = Findings()
    for part, listed in pictures.items():
        found.warnings += [f"{part}: {warning}" for warning in listed.warnings]
        found.take(check_counts(listed, part, max_objects=max_objects, masks=masks))
        found.take(check_segmentations(listed, part) if masks else Findings())
    if len(pictures) == 2:
        found.take(check_categories(pictures["train"], pictures["val"]))
        found.take(check_parts(pictures["train"], pictures["val"]))
    return found


def file_findings(
    pictures: Mapping[str, AnnotatedPictures], *, num_opened: int | None = None, max_compared: int | None = None
) -> Findings:
    """What the checks find in the files of the pictures.

    Args:
        pictures: part -> its list.
        num_opened: files of each part whose headers are read, spread over the list; None = all.
        max_compared: files whose bytes are compared at most, see `check_copies`; None = any number.
    """
    found = Findings()
    for part, listed in pictures.items():
        found.take(check_files(listed, part, num_opened=num_opened))
    if len(pictures) == 2 and not check_parts(pictures["train"], pictures["val"]).warnings:
        found.take(check_copies(pictures["train"], pictures["val"], max_read=max_compared))
    return found


def build_pictures(
    data: Mapping[str, Any], *, masks: bool, num_opened: int | None = 200
) -> tuple[AnnotatedPictures, AnnotatedPictures]:
    """Build the training and validation lists; what is worth knowing goes to the log.

    Args:
        data: the `data` group of the configuration.
        masks: whether outlines are needed.
        num_opened: see `file_findings`.

    Returns:
        The two lists, with the same categories; the training list without what is in quarantine, and without empty
        pictures where data.drop_empty says so.

    Raises:
        ValueError: as `read_pictures`.
        ManifestError: every fault of the two lists, in one error.
    """
    both, options = read_pictures(data, ("train", "val")), find_options(data)
    found = annotation_findings(both, masks=masks, max_objects=options.max_objects)
    found.take(file_findings(both, num_opened=num_opened, max_compared=MAX_COMPARED))
    for warning in found.warnings:
        _log.warning("%s", warning)
    found.raise_if_any(f"data={data['source']}")
    train = both["train"].without_empty() if options.drop_empty else both["train"]
    if data.get("quarantine"):
        kept = drop_quarantined(train, absolute_paths(data)["quarantine"])
        assert isinstance(kept, AnnotatedPictures)
        train = kept
    return train, both["val"]


def find_options(data: Mapping[str, Any]) -> PictureOptions:
    """The settings of `data` that pictures with boxes have of their own; one that is not given has its default."""
    names = set(get_type_hints(picture_options)) - {"return"}
    return picture_options(**{name: data[name] for name in names if name in data})
