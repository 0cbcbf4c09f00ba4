"""Pictures that are the frames of a video: which sequence each is of, and its place in it."""

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any, NamedTuple, TypeVar

from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.findings import Findings, doubles, first_of
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.utils.choices import SequenceRule

__all__ = [
    "FramePlace",
    "FrameRecord",
    "coco_frames",
    "describe_sequences",
    "folder_frames",
    "in_sequences",
    "require_sequences",
    "sequence_rows",
]

VIDEO_KEYS, NUMBER_KEYS = ("video", "video_id"), ("frame_index", "frame_id")
Row = Mapping[str, Any]
M = TypeVar("M", bound=Manifest)


class FramePlace(NamedTuple):
    """The sequence of a picture, None = it is of none, and its place among the listed pictures of it, from 0 on."""

    sequence: str | None = None
    place: int = 0


@dataclass(frozen=True)
class FrameRecord(VideoRecord):
    """A listed picture that may be a frame of a video.

    Attributes:
        sequence: name of the video; None = the picture stands for itself.
        frame_place: its place among the listed pictures of the video, from 0 on.
    """

    sequence: str | None = None
    frame_place: int = 0


def coco_frames(document: Mapping[str, Sequence[Row]]) -> tuple[list[FramePlace], Findings]:
    """The frames that the images of a COCO file are.

    An image names its video as "video" or "video_id", and its number in it as "frame_index" or "frame_id".

    Args:
        document: with "images", and maybe "videos", whose entries have "id" and "name".

    Returns:
        Of each image its place, and warnings about images whose place can't be told, which are of no sequence.

    Source: the files of ImageNet VID in COCO's format (mmtracking), and of TAO.
    """
    images, titles = document["images"], _titles(document.get("videos"))
    named = [_video_of(row, titles) for row in images]
    numbers = [_first(row, NUMBER_KEYS) for row in images]
    wrong = [
        row["id"]
        for row, video, number in zip(images, named, numbers, strict=True)
        if video is not None and not _is_number(number)
    ]
    found = Findings()
    if wrong:
        found.warnings.append(
            f"{len(wrong)} of {len(images)} images name their video, and no frame_index that is a whole number, "
            f"{first_of(wrong)}; they count as pictures of no sequence: number the frames of a video from 0 on"
        )
    sequences = [video if _is_number(number) else None for video, number in zip(named, numbers, strict=True)]
    members = _members(sequences)
    twice = [name for name, rows in members.items() if doubles([numbers[row] for row in rows])]
    if twice:
        found.warnings.append(
            f"{len(twice)} of {len(members)} videos have two images with the same frame_index, {first_of(twice)}; "
            "their images count as pictures of no sequence: give each frame a number of its own"
        )
    sequences = [None if name in twice else name for name in sequences]
    return _placed(sequences, [number if _is_number(number) else 0 for number in numbers]), found


def folder_frames(names: Sequence[str]) -> list[FramePlace]:
    """The frames that pictures in sub-folders are: a folder is a sequence, in the order of the names in it.

    Numbers in names are compared as numbers: "2.png" stands before "10.png".

    Args:
        names: of the pictures with their folders, "clip/0003.png"; one without a folder is of no sequence.
    """
    folders = [str(PurePosixPath(name).parent) for name in names]
    order = sorted(range(len(names)), key=lambda row: _natural(names[row]))
    ranks = {row: rank for rank, row in enumerate(order)}
    return _placed([None if folder == "." else folder for folder in folders], [ranks[row] for row in range(len(names))])


def in_sequences(pictures: M, rule: SequenceRule) -> M:
    """The list with the sequences that its pictures are frames of.

    Args:
        pictures: the list.
        rule: "listed" = as it was read; "folders" = see `folder_frames`.
    """
    if rule == "listed":
        return pictures
    frames = folder_frames([record.video_id for record in pictures.records])
    records = [
        replace(record, sequence=frame.sequence, frame_place=frame.place) if isinstance(record, FrameRecord) else record
        for record, frame in zip(pictures.records, frames, strict=True)
    ]
    return replace(pictures, records=tuple(records))


def sequence_rows(pictures: Manifest) -> list[list[int]]:
    """The numbers in a list of the pictures of each sequence, in their order; one of no sequence stands alone.

    Args:
        pictures: the list; sequences come in the order of their first picture.
    """
    members: dict[Any, list[int]] = defaultdict(list)
    for row, record in enumerate(pictures.records):
        sequence = record.sequence if isinstance(record, FrameRecord) else None
        members[row if sequence is None else sequence].append(row)
    return [sorted(rows, key=lambda row: _place(pictures, row)) for rows in members.values()]


def describe_sequences(pictures: Manifest) -> str:
    """How many listed pictures are frames of videos, in words; "" = none is."""
    lengths = [len(rows) for rows in sequence_rows(pictures) if len(rows) > 1]
    if not lengths:
        return ""
    each = f"{min(lengths)}" if min(lengths) == max(lengths) else f"{min(lengths)} to {max(lengths)}"
    return f"{sum(lengths)} of {len(pictures.records)} pictures are frames of {len(lengths)} videos, {each} frames each"


def require_sequences(pictures: Manifest, *, setting: str) -> None:
    """Refuse a list whose pictures are no frames of videos, or whose frames change their size.

    Args:
        pictures: the list.
        setting: what needs sequences, for the message, such as "key_every=4".

    Raises:
        ManifestError: no sequence has two pictures, or a sequence has pictures of different sizes.
    """
    rows = [members for members in sequence_rows(pictures) if len(members) > 1]
    if not rows:
        raise ManifestError(
            f"{setting} is for frames of videos, and none of the {len(pictures.records)} listed pictures is one; in a "
            'COCO file give each image "video" and "frame_index", or, where each video has a folder of its frames, '
            "use data.sequences=folders"
        )
    sizes = [{getattr(pictures.records[row], "stated_size", None) for row in members} for members in rows]
    changing = [members[0] for members, found in zip(rows, sizes, strict=True) if len(found) > 1]
    if changing:
        names = first_of(getattr(pictures.records[row], "sequence", None) for row in changing)
        raise ManifestError(
            f"{setting} needs frames of one size, and {len(changing)} of {len(rows)} sequences change it, {names}; "
            "scale their frames to one size, or make a sequence of each size"
        )


def _placed(sequences: Sequence[str | None], numbers: Sequence[int]) -> list[FramePlace]:
    places = [FramePlace()] * len(sequences)
    for name, rows in _members(sequences).items():
        for place, row in enumerate(sorted(rows, key=lambda row: numbers[row])):
            places[row] = FramePlace(name, place)
    return places


def _members(sequences: Sequence[str | None]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for row, name in enumerate(sequences):
        if name is not None:
            found[name].append(row)
    return found


def _place(pictures: Manifest, row: int) -> int:
    record = pictures.records[row]
    return record.frame_place if isinstance(record, FrameRecord) else 0


def _titles(videos: Any) -> dict[Any, str]:
    """The names of the videos of a COCO file by their ids; {} = it has none."""
    rows = [row for row in videos if isinstance(row, Mapping)] if isinstance(videos, list) else []
    return {row["id"]: row["name"] for row in rows if _is_name(row.get("id")) and isinstance(row.get("name"), str)}


def _video_of(row: Row, titles: Mapping[Any, str]) -> str | None:
    value = _first(row, VIDEO_KEYS)
    return titles.get(value, str(value)) if _is_name(value) else None


def _first(row: Row, keys: Sequence[str]) -> Any:
    return next((row[key] for key in keys if row.get(key) is not None), None)


def _is_name(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool) and value != ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _natural(name: str) -> list[tuple[int, str]]:
    """Sorts names by their texts and, where both have digits, by the numbers that these are."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]
