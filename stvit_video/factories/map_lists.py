"""Build lists of pictures with label maps from the `data` settings, and say what is wrong with them."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, get_type_hints

from stvit_video.data.layouts.class_files import read_palette
from stvit_video.data.loading.map_checks import NUM_OPENED, MapCounts, count_maps
from stvit_video.data.loading.map_options import MapOptions, map_options
from stvit_video.data.loading.picture_checks import check_copies
from stvit_video.data.manifests.annotation_counts import category_faults, check_parts
from stvit_video.data.manifests.class_choice import choose_classes
from stvit_video.data.manifests.class_names import ClassNames
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.findings import Findings
from stvit_video.data.manifests.mapped_pictures import MappedPictures
from stvit_video.data.manifests.picture_sequences import in_sequences
from stvit_video.data.manifests.quarantine import drop_quarantined
from stvit_video.factories.layout_settings import MAP_OPTIONS
from stvit_video.factories.manifests import absolute_paths, find_manifest
from stvit_video.factories.picture_frames import find_frame_options
from stvit_video.factories.picture_lists import MAX_COMPARED, source_names

__all__ = ["build_maps", "find_map_options", "map_findings", "read_maps"]

SAME_CLASSES = "give data.classes, data.palette and data.keep_classes as the model was trained with"
_log = logging.getLogger(__name__)


def read_maps(
    data: Mapping[str, Any], parts: Sequence[str], *, classes: tuple[str, ...] | None = None
) -> dict[str, MappedPictures]:
    """Read the lists of some parts, with the classes that the settings choose.

    Args:
        data: the `data` group of the configuration.
        parts: of "train" and "val".
        classes: of the checkpoint that is evaluated: names that the classes must have, in this order; they name the
            values where the data do not. None = any.

    Raises:
        ValueError: the layout has no label maps, or as `find_manifest`.
        ManifestError: nothing names the classes, or `classes` are given and are others, or the lists have faults, which
            otherwise come with `map_findings`.
    """
    source = data["source"]
    if source not in MAP_OPTIONS:
        raise ValueError(
            f"data.source={source} has no label maps; give pictures with maps: {source_names(MAP_OPTIONS, classes)}"
        )
    options, found = find_map_options(data), dict[str, MappedPictures]()
    for part in parts:
        pictures = find_manifest(data, part)()
        assert isinstance(pictures, MappedPictures)
        pictures = in_sequences(pictures, find_frame_options(data).sequences)
        if classes is not None:
            Findings(list(pictures.faults)).raise_if_any(f"data.source={source}")
            pictures = _named(pictures, options, classes, source=source)
        found[part] = _with_classes(pictures, options)
        if classes is not None:
            names = ("the model", "the data")
            differ = category_faults(
                tuple(classes), found[part].classes, names=names, kind="classes", way_out=SAME_CLASSES
            )
            differ.raise_if_any(f"data.source={source}")
    return found


def map_findings(
    pictures: Mapping[str, MappedPictures], *, num_opened: int | None = None, max_compared: int | None = None
) -> tuple[dict[str, MapCounts], Findings]:
    """What the checks find in label maps and their pictures, reading included.

    Args:
        pictures: part -> its list.
        num_opened: maps of each part that are read, spread over the list; None = all.
        max_compared: files whose bytes are compared at most, see `check_copies`; None = any number.

    Returns:
        Part -> what its maps hold, and what was found.
    """
    counts, found = dict[str, MapCounts](), Findings()
    for part, listed in pictures.items():
        found.faults += listed.faults
        found.warnings += [f"{part}: {warning}" for warning in listed.warnings]
        counts[part], about_maps = count_maps(listed, part, num_opened=num_opened)
        found.take(about_maps)
    if len(pictures) == 2:
        both = check_parts(pictures["train"], pictures["val"])
        found.take(both if both.warnings else check_copies(*pictures.values(), max_read=max_compared))
    return counts, found


def build_maps(
    data: Mapping[str, Any], *, num_opened: int | None = NUM_OPENED
) -> tuple[MappedPictures, MappedPictures]:
    """Build the training and validation lists; what is worth knowing goes to the log.

    Args:
        data: the `data` group of the configuration.
        num_opened: see `map_findings`.

    Returns:
        The two lists, with the same classes; the training list without what is in quarantine, which is not checked.

    Raises:
        ValueError: as `read_maps`.
        ManifestError: every fault of the two lists, in one error.
    """
    both = read_maps(data, ("train", "val"))
    if data.get("quarantine"):
        kept = drop_quarantined(both["train"], absolute_paths(data)["quarantine"])
        assert isinstance(kept, MappedPictures)
        both["train"] = kept
    _, found = map_findings(both, num_opened=num_opened, max_compared=MAX_COMPARED)
    for warning in found.warnings:
        _log.warning("%s", warning)
    found.raise_if_any(f"data={data['source']}")
    return both["train"], both["val"]


def find_map_options(data: Mapping[str, Any]) -> MapOptions:
    """The settings of `data` that pictures with maps have of their own; one that is not given has its default."""
    names, given = set(get_type_hints(map_options)) - {"return"}, absolute_paths(data)
    return map_options(**{name: given[name] for name in names if name in given})


def _named(pictures: MappedPictures, options: MapOptions, classes: tuple[str, ...], *, source: str) -> MappedPictures:
    """The list with the names of a checkpoint for its values 0, 1, ..., where no file and no palette names them.

    With data.reduce_zero_label the values are 1, 2, ...

    Raises:
        ManifestError: it is not known which values the classes of the checkpoint have.
    """
    if pictures.names is not None or options.palette is not None:
        return pictures
    why = ""
    if options.keep_classes is not None:
        why = "the model has the classes that data.keep_classes chose, and the values of the maps are those of others"
    elif source == "ade" and options.values is None and options.reduce_zero_label is None:
        why = "in this layout the classes begin with 0 or 1; data.reduce_zero_label=false or true says it, too"
    if why:
        raise ManifestError(f"nothing names the classes of the label maps; give data.classes=FILE: {why}")
    first = int(bool(options.reduce_zero_label))
    return replace(pictures, names=ClassNames("the checkpoint", dict(enumerate(classes, start=first))))


def _with_classes(pictures: MappedPictures, options: MapOptions) -> MappedPictures:
    chosen = choose_classes(
        pictures.names,
        palette=None if options.palette is None else read_palette(options.palette),
        values=options.values,
        reduce_zero_label=options.reduce_zero_label,
        keep_classes=options.keep_classes,
    )
    return replace(pictures, classes=chosen.classes, rules=chosen.rules)
