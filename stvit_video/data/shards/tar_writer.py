"""Packs videos into tar shards that WebDataset and `stvit_video.data.layouts.tar_shards` read.

A shard takes its name when it is whole and has been read again, so whatever stands under a final name is good. What
goes into which shard depends on the list, the sizes and the seed alone: a second run finds the first one's shards.
"""

import errno
import hashlib
import io
import json
import os
import re
import socket
import tarfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Literal

import torch
from tqdm import tqdm

from stvit_video.data.manifests.faults import Faults
from stvit_video.data.shards.index import find_members
from stvit_video.data.shards.locations import SHARD_ENDING
from stvit_video.data.shards.tar_scan import scan_shard
from stvit_video.utils.atomic_files import PART_ENDING, DiskFullError, atomically, remove_stale_parts
from stvit_video.utils.seeding import seeded_generator

MAX_KEY_CHARACTERS = 80
MAX_VIDEO_BYTES = 8 * 2**30 - 1  # what the header of a plain tar can say
READ_BYTES = 2**22
Made = Literal["done", "kept"]


class PackingError(ValueError):
    """Shards can't be written; the message says what is in the way."""


@dataclass(frozen=True)
class Packed:
    """A video to pack.

    Attributes:
        source: the file.
        key: name of its sample, unique, without dots.
        num_bytes: of the file.
        label: name of the class.
        class_number: of the class, among those of all shards.
        video_id: unique.
        split: e.g. "train", "" = none.
    """

    source: Path
    key: str
    num_bytes: int
    label: str
    class_number: int
    video_id: str
    split: str = ""

    @property
    def name(self) -> str:
        """The name of the video in the tar."""
        ending = self.source.suffix.lower()
        return self.key + (".ogv" if ending == ".ogg" else ending)  # readers take an .ogg for sound


def plan_shards(
    sizes: Sequence[int], *, shard_bytes: int | None = None, videos_per_shard: int | None = None, seed: int = 0
) -> list[list[int]]:
    """Which videos go into which shard: all of them in a random order, cut where a shard is full.

    Args:
        sizes: bytes of each video.
        shard_bytes: a shard ends before the video that would make its videos larger than this; one video alone may be.
        videos_per_shard: or it ends after so many videos.
        seed: of the order; 0 or more.

    Returns:
        Positions in `sizes`, for each shard.

    Raises:
        ValueError: not exactly one of the two limits is given, or it or the seed is out of range.
    """
    limit = shard_bytes if videos_per_shard is None else videos_per_shard
    if (shard_bytes is None) == (videos_per_shard is None) or limit is None or limit < 1 or seed < 0:
        raise ValueError(
            f"shard_bytes={shard_bytes}, videos_per_shard={videos_per_shard}, seed={seed}: give one of the first two, "
            "of at least 1, and a seed of at least 0"
        )
    shards: list[list[int]] = []
    room = 0
    for position in torch.randperm(len(sizes), generator=seeded_generator(seed)).tolist():
        cost = 1 if shard_bytes is None else sizes[position]
        if not shards or cost > room:
            shards.append([])
            room = limit
        shards[-1].append(position)
        room -= cost
    return shards


def sample_keys(names: Iterable[str]) -> list[str]:
    """Unique names of samples, of letters, digits, "_" and "-" only, as close to the given ones as that allows.

    Args:
        names: e.g. of the files, without extension.
    """
    keys: dict[str, None] = {}  # in order; equal in capitals only counts as equal, for file systems' sake
    taken: set[str] = set()
    for name in names:
        plain = re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:MAX_KEY_CHARACTERS] or "video"
        key, number = plain, 2
        while key.casefold() in taken:
            key, number = f"{plain}-{number}", number + 1
        taken.add(key.casefold())
        keys[key] = None
    return list(keys)


def write_shards(
    videos: Sequence[Packed],
    *,
    folder: Path,
    shard_bytes: int | None = None,
    videos_per_shard: int | None = None,
    seed: int = 0,
    show_progress: bool = True,
) -> dict[Made, int]:
    """Write `folder`/000000.tar, 000001.tar ... and index.csv; a shard that is there already is kept.

    Args:
        videos: what to pack.
        folder: of the shards; made where it is missing.
        shard_bytes: with videos_per_shard and seed, see `plan_shards`.
        show_progress: draw a bar where the output is a terminal.

    Returns:
        How many shards were written now ("done") and were there ("kept").

    Raises:
        PackingError: the folder holds other shards, a video has changed meanwhile or is too large for a plain tar.
        DiskFullError: there is no room left.
        ValueError: see `plan_shards`.
        OSError: a file can't be read or written.
    """
    large = next((video for video in videos if video.num_bytes > MAX_VIDEO_BYTES), None)
    if large is not None:
        raise PackingError(f"{large.source} has {large.num_bytes} bytes; a plain tar holds at most {MAX_VIDEO_BYTES}")
    sizes = [video.num_bytes for video in videos]
    plan = plan_shards(sizes, shard_bytes=shard_bytes, videos_per_shard=videos_per_shard, seed=seed)
    paths = [folder / f"{number:06d}{SHARD_ENDING}" for number in range(len(plan))]
    folder.mkdir(parents=True, exist_ok=True)
    remove_stale_parts([folder])
    _refuse_others(folder, paths)
    counts: dict[Made, int] = {"done": 0, "kept": 0}
    shards = list(zip(paths, plan, strict=True))
    for path, positions in tqdm(shards, desc="packing", unit="shard", disable=None if show_progress else True):
        inside = [videos[position] for position in positions]
        if path.exists():
            _require_same(path, inside)
            counts["kept"] += 1
            continue
        try:
            write_shard(path, inside)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise
            raise DiskFullError(
                f"no room is left for {path}; {sum(counts.values())} of {len(plan)} shards are written and whole: "
                "make room and run the same command again, it goes on from there"
            ) from error
        counts["done"] += 1
    faults = Faults(folder)
    find_members([str(path) for path in paths], faults)
    faults.raise_if_any()
    return counts


def write_shard(path: Path, videos: Sequence[Packed]) -> None:
    """Write one shard beside its place, read it again, and move it there.

    A sample is `<key>.mp4`, `<key>.cls` (the class number) and `<key>.json` (label, video_id, split, sha256).

    Raises:
        PackingError: a video has changed since it was listed, or what was read again is not what was written.
        OSError: a file can't be read or written; nothing is left of it.
    """
    own = path.with_name(f".{path.name}.{socket.gethostname()}-{os.getpid()}{PART_ENDING}")
    with atomically(path, part=own) as part:
        with (
            part.open("wb") as file,
            tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar,
        ):
            digests = [_add(tar, video) for video in videos]
        _verify(part, path, videos, digests)


class _Hashed:
    """A file that is hashed as it is read."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.sha256 = hashlib.sha256()

    def read(self, num_bytes: int) -> bytes:
        """The next bytes."""
        content = self._file.read(num_bytes)
        self.sha256.update(content)
        return content


def _add(tar: tarfile.TarFile, video: Packed) -> str:
    """Append the sample of a video; gives the SHA-256 of the video."""
    with video.source.open("rb") as file:
        hashed = _Hashed(file)
        info = tarfile.TarInfo(video.name)
        info.size = os.fstat(file.fileno()).st_size
        if info.size != video.num_bytes:
            raise PackingError(f"{video.source} has {info.size} bytes and had {video.num_bytes}; run again")
        tar.addfile(info, hashed)  # type: ignore[arg-type]
    digest = hashed.sha256.hexdigest()
    note = {"label": video.label, "video_id": video.video_id, "split": video.split, "sha256": digest}
    for ending, text in ((".cls", str(video.class_number)), (".json", json.dumps(note))):
        info, content = tarfile.TarInfo(video.key + ending), text.encode()
        info.size = len(content)
        tar.addfile(info, io.BytesIO(content))
    return digest


def _verify(part: Path, path: Path, videos: Sequence[Packed], digests: Sequence[str]) -> None:
    """Read the videos of a written shard again."""
    members = scan_shard(part, Faults(path))
    same = [member.name for member in members] == [video.name for video in videos]
    with part.open("rb") as file:
        for member, digest in zip(members, digests, strict=False):
            file.seek(member.first_byte)
            found, left = hashlib.sha256(), member.num_bytes
            while left and (content := file.read(min(left, READ_BYTES))):
                found.update(content)
                left -= len(content)
            same = same and found.hexdigest() == digest
    if not same:
        raise PackingError(f"{path} reads back other bytes than were written; check the disk, then run again")


def _require_same(path: Path, videos: Sequence[Packed]) -> None:
    """A shard that is there must be what would be written, by its names, sizes and labels."""
    faults = Faults(path)
    found = [(m.name, m.num_bytes, m.label, m.class_number, m.video_id, m.split) for m in scan_shard(path, faults)]
    wanted = [(v.name, v.num_bytes, v.label, str(v.class_number), v.video_id, v.split) for v in videos]
    if faults.found or found != wanted:
        raise PackingError(
            f"{path} is there and is not what this list, size and seed make of it; "
            "remove the old shards, or choose another folder"
        )


def _refuse_others(folder: Path, paths: Sequence[Path]) -> None:
    """More shards than planned would be read along with them."""
    others = sorted(set(folder.glob(f"*{SHARD_ENDING}")) - set(paths))
    if others:
        raise PackingError(
            f"{others[0]} is there and is none of the {len(paths)} shards to write; "
            "remove the old shards, or choose another folder"
        )
