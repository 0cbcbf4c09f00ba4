"""Looks into listed label maps: can they be read, are they of the size of their picture, and of known classes?"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.decoding.stored_maps import LossyMapError
from stvit_video.data.loading.map_source import map_misfit
from stvit_video.data.loading.picture_checks import depth_findings, listed_texts, read_headers, spread, tell_bad
from stvit_video.data.manifests.findings import Findings, first_of
from stvit_video.data.manifests.label_rules import IGNORED, LabelRules, colours_text
from stvit_video.data.manifests.mapped_pictures import MappedPictures, MapRecord

__all__ = ["MapCounts", "count_maps"]

NUM_OPENED = 200
CORRECT = "correct these files, or the folders of pictures and maps"
SAVE_AS_PNG = "draw the maps anew, or export them again, and save maps as PNG"
Size = tuple[int, int]


@dataclass
class MapCounts:
    """What label maps hold.

    Attributes:
        num_classes: of the list.
        codes: value, or colour (0xRRGGBB) -> pixels of all maps.
        maps_of: the same -> maps that have it, as places.
        colours: place -> example, of maps with colours where values are wanted.
        unreadable: why a map can't be read.
        lossy: places of maps of a format that changes values.
        sizes: height and width -> maps.
        misfits: why a map can't be that of its picture, and what to do.
        labels: (num_classes + 1,) pixels of each class, and of none.
        pictures: (num_classes,) maps in which a class occurs.
    """

    num_classes: int
    codes: Counter[int] = field(default_factory=Counter)
    maps_of: dict[int, list[str]] = field(default_factory=dict)
    colours: dict[str, str] = field(default_factory=dict)
    unreadable: list[str] = field(default_factory=list)
    lossy: list[str] = field(default_factory=list)
    sizes: Counter[Size] = field(default_factory=Counter)
    misfits: list[tuple[str, str]] = field(default_factory=list)
    labels: NDArray[np.int64] = field(init=False)
    pictures: NDArray[np.int64] = field(init=False)

    def __post_init__(self) -> None:
        self.labels = np.zeros(self.num_classes + 1, dtype=np.int64)
        self.pictures = np.zeros(self.num_classes, dtype=np.int64)

    @property
    def num_read(self) -> int:
        """Maps that could be read."""
        return self.sizes.total()

    def add(self, record: MapRecord, stored: NDArray[np.integer], size: Size | None, rules: LabelRules) -> None:
        """Count a map.

        Args:
            record: the listed picture.
            stored: its map.
            size: height and width of the upright picture in pixels; None = it can't be read.
            rules: which label a value has.
        """
        place, own = record.map_file.place, (stored.shape[0], stored.shape[1])
        self.sizes[own] += 1
        if size is not None and (misfit := map_misfit(record, size, own)):
            self.misfits.append(misfit)
        if stored.ndim == 3 and not rules.of_colours:
            self.colours[place] = colours_text(stored)
            return
        counts = rules.counted(stored)
        self.codes.update(counts)
        for code in counts:
            self.maps_of.setdefault(code, []).append(place)
        labels = np.zeros(self.num_classes + 1, dtype=np.int64)
        for code, count in counts.items():
            label = rules.labels.get(code, IGNORED)
            labels[self.num_classes if label == IGNORED else label] += count
        self.labels += labels
        self.pictures += labels[:-1] > 0


def count_maps(
    pictures: MappedPictures, part: str, *, num_opened: int | None = NUM_OPENED
) -> tuple[MapCounts, Findings]:
    """Read label maps, and the headers of their pictures.

    Files of pictures that are not there are not looked at: reading the list has told them.

    Args:
        pictures: the list.
        part: "train" or "val", for messages.
        num_opened: how many, spread over the list; None = all.

    Returns:
        What the maps hold, and what was found: what can't be learned from is a fault.
    """
    chosen = [pair for pair in spread(list(enumerate(pictures.pictures)), num_opened) if pair[1].path.exists()]
    counts = MapCounts(len(pictures.classes))
    headers, unreadable = read_headers([record for _, record in chosen])
    for index, record in chosen:
        header = headers.get(record.place)
        try:
            stored = pictures.read_stored(index)
        except DecodeError as error:
            if isinstance(error.__cause__, LossyMapError):
                counts.lossy.append(record.map_file.place)
            else:
                counts.unreadable.append(str(error))
            continue
        counts.add(record, stored, None if header is None else (header.height, header.width), pictures.rules)
    found = depth_findings(headers, part, num_chosen=len(chosen))
    for bad, what, listed, way_out in (
        (unreadable, "pictures that were looked at can't be read", listed_texts, CORRECT),
        (counts.unreadable, "label maps that were looked at can't be read", listed_texts, CORRECT),
        (counts.lossy, "label maps that were looked at are JPEGs, which changes values", first_of, SAVE_AS_PNG),
    ):
        if bad:
            sentence = f"{len(bad)} of {len(chosen)} {part} {what}, {listed(bad)}"
            tell_bad(found, sentence, part, all_bad=len(bad) == len(chosen), way_out=way_out)
    if counts.misfits:
        found.faults.append(_misfit_fault(counts, part, num_chosen=len(chosen)))
    found.faults += _faults(pictures, counts, part)
    if not found.faults:
        found.warnings += _warnings(pictures, counts, part, whole=len(chosen) == len(pictures.records))
    return counts, found


def _misfit_fault(counts: MapCounts, part: str, *, num_chosen: int) -> str:
    """Maps of another size than their picture: which, and what to do."""
    ways_out = dict.fromkeys(way_out for _, way_out in counts.misfits)
    return (
        f"{len(counts.misfits)} of {num_chosen} {part} label maps that were looked at have another size than their "
        f"picture, {listed_texts([what for what, _ in counts.misfits])}; {'; '.join(ways_out)}; or remove both files"
    )


def _faults(pictures: MappedPictures, counts: MapCounts, part: str) -> list[str]:
    """What keeps the maps from being learned from."""
    if counts.colours:
        place, example = next(iter(counts.colours.items()))
        return [
            f"{len(counts.colours)} of {counts.num_read} {part} label maps that were looked at have colours, {example} "
            f"in {place}, and no values of classes; give the colour of each class as data.palette=FILE, with lines "
            "such as 'road 128 64 128'"
        ]
    if unknown := pictures.rules.unknown(counts.codes):
        return [_unknown_fault(pictures, counts, unknown, part)]
    if sentence := _only_255(pictures, counts, part):
        return [sentence]
    if counts.num_read and not counts.labels[:-1].any():
        return [
            f"no pixel of the {counts.num_read} {part} label maps that were looked at has a class; the values are "
            f"{pictures.rules.named(sorted(counts.codes))}: check data.classes, data.keep_classes and "
            "data.reduce_zero_label"
        ]
    return []


def _only_255(pictures: MappedPictures, counts: MapCounts, part: str) -> str:
    """Maps in which 255 may stand for a class; "" = they are none."""
    rules, named = pictures.rules, {} if pictures.names is None else pictures.names.names
    if rules.of_colours or set(counts.codes) != {0, IGNORED} or rules.labels.get(IGNORED, IGNORED) != IGNORED:
        return ""
    holds = f"all {counts.num_read} {part} label maps that were looked at hold the values 0 and 255 alone, and"
    if rules.labels.get(0, IGNORED) != IGNORED:
        hint = f"{holds} 255 is not counted; where 0 and 255 are two classes, give data.values=[0,255]"
        return hint if counts.num_classes == 2 else ""
    hint = f"{holds} neither is counted; where 0 and 255 are two classes, give data.values=[0,255] and no "
    return f"{hint}data.reduce_zero_label" if len(named) == 2 else ""


def _unknown_fault(pictures: MappedPictures, counts: MapCounts, unknown: Mapping[int, int], part: str) -> str:
    """Values, or colours, of no class: which, in how many maps, and what to do."""
    places = {place for code in unknown for place in counts.maps_of[code]}
    share = sum(unknown.values()) / counts.codes.total()
    what = "colours" if pictures.rules.of_colours else "values"
    source = "the file of classes" if pictures.names is None else pictures.names.source
    return (
        f"{len(places)} of {counts.num_read} {part} label maps that were looked at have {what} of no class, "
        f"{pictures.rules.named(sorted(unknown))} ({share:.2%} of the pixels, {first_of(sorted(places))}); "
        f"{_way_out(pictures, unknown, source)}"
    )


def _way_out(pictures: MappedPictures, unknown: Mapping[int, int], source: str) -> str:
    if pictures.rules.of_colours:
        return "name these colours in data.palette; without a name there they are not counted"
    known = {} if pictures.names is None else pictures.names.names
    if set(unknown) == {0}:
        return (
            f"{source} names no class of the value 0; set data.reduce_zero_label=true where these pixels count for none"
        )
    if set(unknown) == {len(known)} and set(known) == set(range(len(known))):
        return (
            f"{source} names the values 0 to {len(known) - 1}; add the name that is missing, or where classes begin "
            "with 1 and 0 is unlabelled, write a name for 0 on its first line and set data.reduce_zero_label=true"
        )
    return (
        f"{source} names {len(known)} classes; add the names that are missing, or give the value of each class as "
        "data.values=[...], and other values are not counted"
    )


def _warnings(pictures: MappedPictures, counts: MapCounts, part: str, *, whole: bool) -> list[str]:
    """What is worth knowing of maps that can be learned from."""
    found, known, classes = list[str](), pictures.names, pictures.classes
    shown = [name for name, count in zip(classes, counts.labels, strict=False) if count]
    if len(shown) == 1 and len(classes) > 1:
        dropped = known is not None and 0 in known.names and pictures.rules.labels.get(0) == IGNORED
        hint = "; data.reduce_zero_label=true leaves the value 0 out, which may be a class" if dropped else ""
        found.append(f"all counted pixels of the {counts.num_read} {part} label maps looked at are {shown[0]!r}{hint}")
    if whole and (lacking := [name for name in classes if name not in shown]):
        found.append(f"{len(lacking)} of {len(classes)} classes have no {part} pixel, {first_of(lacking)}")
    if classes[0] == "wall" and pictures.rules.labels.get(0) == 0 and len(counts.maps_of.get(0, ())) == counts.num_read:
        found.append(
            f"the value 0, {classes[0]!r}, is in all {counts.num_read} {part} label maps looked at; in ADE20K 0 is "
            "unlabelled and the classes begin with 1: then write a name for 0 on the first line of the file of classes "
            "and set data.reduce_zero_label=true"
        )
    return found
