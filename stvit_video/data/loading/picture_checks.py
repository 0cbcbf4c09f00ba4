"""Looks into the files of listed pictures: are they pictures, of the stated size, and not the same in both parts?"""

import hashlib
import os
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from stvit_video.data.decoding.pictures import PictureHeader, read_header
from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.picture_source import size_fault
from stvit_video.data.manifests.annotated_pictures import AnnotatedPictures, PictureRecord
from stvit_video.data.manifests.findings import NUM_NAMED, Findings, first_of
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.shards.picture_files import read_picture

__all__ = [
    "check_copies",
    "check_depth",
    "check_files",
    "copy_findings",
    "depth_findings",
    "listed_texts",
    "read_headers",
    "size_findings",
    "spread",
    "tell_bad",
]

Listed = TypeVar("Listed")

NUM_OPENED = 200


def check_files(pictures: AnnotatedPictures, part: str, *, num_opened: int | None = NUM_OPENED) -> Findings:
    """Read the headers of pictures: which can't be read, have another size than is stated, 16 bits, or a turn.

    All that are looked at are unreadable or of another size = a fault; some = a warning. Files that are not there are
    not looked at: reading the list has told them.

    Args:
        pictures: the list.
        part: "train" or "val", for messages.
        num_opened: how many, spread over the list; None = all.
    """
    chosen = [record for record in spread(pictures.pictures, num_opened) if record.path.exists()]
    headers, unreadable = read_headers(chosen)
    sizes = {place: (header.height, header.width) for place, header in headers.items()}
    found = size_findings([record for record in chosen if record.place in sizes], sizes, part)
    found.take(depth_findings(headers, part, num_chosen=len(chosen)))
    if turned := [place for place, header in headers.items() if header.is_turned_unseen]:
        found.warnings.append(
            f"{len(turned)} of {len(chosen)} {part} pictures that were looked at are turned as their EXIF says, and "
            f"their size does not tell whether the annotations are, too, {first_of(turned)}; their boxes are read as "
            "those of the upright picture: where they are of the picture as it is stored, remove the EXIF orientation "
            "from the file"
        )
    if unreadable:
        of = f"{len(unreadable)} of {len(chosen)} {part} pictures that were looked at can't be read"
        tell_bad(found, f"{of}, {listed_texts(unreadable)}", part, all_bad=len(unreadable) == len(chosen))
    return found


def check_depth(pictures: AnnotatedPictures, part: str, *, num_opened: int | None = NUM_OPENED) -> Findings:
    """Read the headers of pictures: which have more than 8 bits; see `check_files`."""
    chosen = spread(pictures.pictures, num_opened)
    return depth_findings(read_headers(chosen)[0], part, num_chosen=len(chosen))


def spread(listed: Sequence[Listed], num_opened: int | None) -> Sequence[Listed]:
    """About so many of a list, spread over it; None = all."""
    return listed[:: 1 if num_opened is None else max(1, len(listed) // num_opened)]


def read_headers(records: Sequence[VideoRecord]) -> tuple[dict[str, PictureHeader], list[str]]:
    """Place -> header, and why the other ones can't be read."""
    headers, unreadable = dict[str, PictureHeader](), list[str]()
    for record in records:
        try:
            headers[record.place] = read_header(read_picture(record), name=record.place)
        except DecodeError as error:
            unreadable.append(str(error))
    return headers, unreadable


def depth_findings(headers: Mapping[str, PictureHeader], part: str, *, num_chosen: int) -> Findings:
    """Pictures with more than 8 bits.

    Args:
        headers: place -> header.
        part: "train" or "val", for messages.
        num_chosen: how many were looked at.
    """
    deep = [place for place, header in headers.items() if not header.has_8_bits]
    if not deep:
        return Findings()
    return Findings(
        warnings=[
            f"{len(deep)} of {num_chosen} {part} pictures that were looked at have more than 8 bits a channel, "
            f"{first_of(deep)}; values above 255 become white: scale these pictures to 8 bits"
        ]
    )


def size_findings(records: Sequence[PictureRecord], sizes: dict[str, tuple[int, int]], part: str) -> Findings:
    """Pictures whose annotations are for another size; training passes them over, an evaluation leaves them out.

    Args:
        records: listed pictures.
        sizes: place -> height and width of the upright picture in pixels.
        part: "train" or "val", for messages.
    """
    found = Findings()
    faults = [fault for record in records if (fault := size_fault(record, sizes[record.place]))]
    if faults:
        of = f"{len(faults)} of {len(records)} {part} pictures that were looked at have another size than is stated"
        tell_bad(found, f"{of}, {listed_texts(faults)}", part, all_bad=len(faults) == len(records))
    return found


def check_copies(train: Manifest, val: Manifest, *, max_read: int | None = None) -> Findings:
    """Find pictures that stand in both lists as copies, byte by byte, whatever their names are.

    Args:
        train: one list.
        val: the other.
        max_read: of more files with a size that stands in both lists none is read, and nothing is found; None = any.
    """
    by_size: dict[int, tuple[list[VideoRecord], list[VideoRecord]]] = defaultdict(lambda: ([], []))
    for place, pictures in enumerate((train, val)):
        for record in pictures.records:
            if (size := _num_bytes(record)) is not None:
                by_size[size][place].append(record)
    alike = [pair for pair in by_size.values() if pair[0] and pair[1]]
    if max_read is not None and sum(len(ours) + len(theirs) for ours, theirs in alike) > max_read:
        return Findings()
    both = [name for ours, theirs in alike for name in _copies(ours, theirs)]
    return copy_findings(both, num_val=len(val.records))


def copy_findings(copies: Sequence[str], *, num_val: int) -> Findings:
    """Validation pictures that are copies of training pictures.

    Args:
        copies: their names.
        num_val: listed validation pictures.
    """
    if not copies:
        return Findings()
    return Findings(
        warnings=[
            f"{len(copies)} of {num_val} val pictures are copies of train pictures, {first_of(copies)}; on those "
            "the scores say nothing: take them out of one part"
        ]
    )


def _copies(ours: Iterable[VideoRecord], theirs: Iterable[VideoRecord]) -> list[str]:
    known = {digest: record for record in ours if (digest := _digest(record))}
    pairs = [(record, known.get(_digest(record))) for record in theirs]
    return [f"{record.video_id} is {other.video_id}" for record, other in pairs if other is not None]


def _digest(record: VideoRecord) -> bytes:
    """Of all bytes; b"" = it can't be read."""
    try:
        return hashlib.blake2b(read_picture(record), digest_size=16).digest()
    except DecodeError:
        return b""


def _num_bytes(record: VideoRecord) -> int | None:
    """Of the file, or of the packed member; None = it is not there."""
    if record.byte_range is not None:
        return record.byte_range[1]
    try:
        return os.stat(record.path).st_size
    except OSError:
        return None


def tell_bad(
    found: Findings,
    sentence: str,
    part: str,
    *,
    all_bad: bool,
    way_out: str = "correct the annotations or the folder of the pictures",
) -> None:
    """Add what pictures have wrong: a fault with a way out where all that were looked at have it, else a warning."""
    if all_bad:
        found.faults.append(f"{sentence}; {way_out}")
    else:
        passed = "training passes them over (up to data.max_skipped_fraction)"
        found.warnings.append(f"{sentence}; {passed if part == 'train' else 'the scores are without them'}")


def listed_texts(texts: Sequence[Any]) -> str:
    """The first three of some sentences."""
    return f"first: {' | '.join(texts[:NUM_NAMED])}"
