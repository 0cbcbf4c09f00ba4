"""What lies where in tar shards of WebDataset's layout: found by reading headers once, kept in index.csv beside them.

A sample is the members with one name up to its first dot: `abc.mp4` (or another video), and `abc.json` (label,
video_id, split, start_seconds, end_seconds) or `abc.cls` (the class number) or both; other members are not used.
"""

import json
import logging
import os
import re
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from stvit_video.data.manifests.faults import Faults
from stvit_video.data.manifests.video_endings import VIDEO_EXTENSIONS

END_MARK = bytes(tarfile.BLOCKSIZE)
TAIL_BYTES = 2**20  # after the end mark, that must be padding
MAX_NOTE_BYTES = 2**20  # of a .cls or .json
_SAMPLE_NAME = re.compile(r"(?P<key>(?:.*/)?[^./][^./]*)\.(?P<ending>[^/]+)")
_log = logging.getLogger(__name__)


class Member(NamedTuple):
    """A video in a shard, and what its sample says of it.

    Attributes:
        name: in the tar.
        first_byte: in the tar.
        num_bytes: of the video.
        label: name of the class; "" = only the number is known.
        class_number: from .cls, or a number as the label in .json; "" = none.
        video_id: of .json, else the name.
        split: of .json, e.g. "train"; "" = none.
        start_seconds: begin of the segment; None = begin of the video.
        end_seconds: end of the segment; None = end of the video.
    """

    name: str
    first_byte: int
    num_bytes: int
    label: str
    class_number: str
    video_id: str
    split: str = ""
    start_seconds: float | None = None
    end_seconds: float | None = None


def scan_shard(path: str | os.PathLike[str], faults: Faults) -> list[Member]:
    """The videos of a local shard, in its order; only headers, .cls and .json are read.

    Args:
        path: the tar.
        faults: where what is wrong with it goes: cut short, compressed, samples without video or label, doubles.
    """
    shard = Path(path)
    samples: dict[str, dict[str, tuple[tarfile.TarInfo, str]]] = {}
    ignored: list[str] = []
    try:
        with tarfile.open(shard, "r:") as tar:
            for info in tar:
                _sort_in(info, tar, samples, ignored, shard, faults)
            _check_end(shard, tar.offset, faults)
    except (tarfile.TarError, OSError) as error:
        faults.add(0, f"{shard} can't be read as a plain tar ({error}); get it anew, or pack it without compression")
        return []
    if ignored:
        _log.warning("%s: %d members are part of no sample and left out, first: %s", shard, len(ignored), ignored[0])
    if not samples:
        faults.add(0, f"{shard} holds no sample; members must be called e.g. abc.mp4, abc.cls, abc.json")
    found = (_member(parts, shard, key, faults) for key, parts in samples.items())
    return [member for member in found if member is not None]


def _sort_in(
    info: tarfile.TarInfo,
    tar: tarfile.TarFile,
    samples: dict[str, dict[str, tuple[tarfile.TarInfo, str]]],
    ignored: list[str],
    shard: Path,
    faults: Faults,
) -> None:
    """Put a member where it belongs: sample -> "video", ".cls", ".json", "other" -> (the member, its text)."""
    if info.isdir():
        return
    named = _SAMPLE_NAME.fullmatch(info.name)
    if named is None or not info.isreg() or info.issparse():
        ignored.append(info.name)
        return
    ending = os.path.splitext("x." + named["ending"])[1].lower()
    kind = "video" if ending in VIDEO_EXTENSIONS else ending
    parts = samples.setdefault(named["key"], {})
    if kind not in ("video", ".cls", ".json"):
        parts.setdefault("other", (info, ""))
        return
    if kind in parts:
        other = parts[kind][0].name
        faults.add(0, f"{shard}: {other} and {info.name} are of one sample (the names are equal up to the first dot)")
        return
    parts[kind] = (info, "" if kind == "video" else _text(info, tar, shard, faults))


def _text(info: tarfile.TarInfo, tar: tarfile.TarFile, shard: Path, faults: Faults) -> str:
    if info.size > MAX_NOTE_BYTES:
        faults.add(0, f"{shard}: {info.name} has {info.size} bytes; at most {MAX_NOTE_BYTES} are read")
        return ""
    file = tar.extractfile(info)
    assert file is not None
    return file.read().decode("utf-8", "replace").strip()


def _check_end(shard: Path, end: int, faults: Faults) -> None:
    """A tar ends with blocks of zeros; tarfile also stops, in silence, where it is cut or damaged."""
    with shard.open("rb") as file:
        file.seek(end)
        tail = file.read(TAIL_BYTES)
    if tail[: len(END_MARK)] != END_MARK:
        faults.add(0, f"{shard} has no end mark at byte {end}: it is cut short or damaged; get it anew")
    elif tail.strip(b"\0"):
        faults.add(0, f"{shard} goes on after its end mark at byte {end} (several tars in a row); pack it anew")


def _member(parts: Mapping[str, tuple[tarfile.TarInfo, str]], shard: Path, key: str, faults: Faults) -> Member | None:
    if "video" not in parts:
        other = f" ({parts['other'][0].name} has no known ending of one)" if "other" in parts else ""
        faults.add(0, f"{shard}: sample {key} holds no video{other}; add one, or remove the sample")
        return None
    info = parts["video"][0]
    place = f"{shard}: {info.name}"
    if not info.size:
        faults.add(0, f"{place} is empty; remove the sample")
    note = _note(parts, place, faults)
    label, number = note.get("label"), parts[".cls"][1] if ".cls" in parts else ""
    if isinstance(label, int) and not isinstance(label, bool):
        label, number = None, str(label)
    elif label is not None and not isinstance(label, str):
        faults.add(0, f"{place}: the label is {label!r}; give one name or one number")
        return None
    if number and not number.isdecimal():
        faults.add(0, f"{place}: its .cls is {number[:20]!r}; it must be the number of the class, from 0")
    if not label and not number:
        faults.add(0, f"{place} has no label; add {key}.json with a label, or {key}.cls with the number of the class")
    start, end = (_seconds(note, name, place, faults) for name in ("start_seconds", "end_seconds"))
    video_id, split = (str(note.get(name) or "") for name in ("video_id", "split"))
    return Member(info.name, info.offset_data, info.size, label or "", number, video_id or info.name, split, start, end)


def _note(parts: Mapping[str, tuple[tarfile.TarInfo, str]], place: str, faults: Faults) -> dict[str, Any]:
    if ".json" not in parts:
        return {}
    try:
        note = json.loads(parts[".json"][1])
    except ValueError:
        note = None
    if isinstance(note, dict):
        return note
    faults.add(0, f'{place}: {parts[".json"][0].name} is no JSON object; write e.g. {{"label": "running"}}')
    return {}


def _seconds(note: Mapping[str, Any], name: str, place: str, faults: Faults) -> float | None:
    value = note.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < float("inf"):
        faults.add(0, f"{place}: {name}={value!r} is no number of seconds")
        return None
    return float(value)
