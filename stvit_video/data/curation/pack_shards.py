"""From the videos that `stvit_video.data.curation.prepare_videos` found to tar shards, a folder for each split."""

import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from stvit_video.data.curation.prepare_videos import Clip, written_path
from stvit_video.data.decoding.probe import probe_video
from stvit_video.data.decoding.request import DecodeError, DecodeRequest
from stvit_video.data.layouts.tar_shards import NAMES_FILE
from stvit_video.data.shards.tar_writer import Made, Packed, PackingError, sample_keys, write_shards

UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


class Split(NamedTuple):
    """What was packed into one folder."""

    folder: Path
    num_videos: int
    num_shards: dict[Made, int]


def pack_clips(
    clips: Sequence[Clip],
    *,
    folder: Path,
    manifest_path: Path,
    shard_bytes: int | None = None,
    videos_per_shard: int | None = None,
    seed: int = 0,
    show_progress: bool = True,
) -> tuple[list[Clip], list[Split]]:
    """Pack the usable clips into shards in `folder`/<split>/, with the class names in classes.txt beside them.

    A video has the video_id that the manifest at `manifest_path` gives it, so that results compare.

    Args:
        clips: whole files; those with a reason are passed over.
        folder: of the split folders; clips without a split are packed into it.
        manifest_path: where the manifest of the same clips goes.
        shard_bytes: with videos_per_shard and seed, see `plan_shards`.
        show_progress: draw a bar where the output is a terminal.

    Returns:
        The clips, those that can't be packed with the reason; and what is in each folder.

    Raises:
        PackingError: a clip is a part of its file; or see `write_shards`.
        DiskFullError: there is no room left.
        OSError: a file can't be read or written.
    """
    parts = [clip for clip in clips if not clip.reason and (clip.start_seconds, clip.end_seconds) != (None, None)]
    if parts:
        raise PackingError(
            f"{len(parts)} videos are parts of longer files, first: {parts[0].path}; shards hold whole files, so cut "
            "them with transcode=true"
        )
    clips = [_checked(clip) for clip in clips]
    usable = [clip for clip in clips if not clip.reason]
    classes = sorted({clip.label for clip in usable})
    splits = []
    for split in sorted({clip.split for clip in usable}):
        target = folder / split.replace("/", "_") if split else folder
        videos = _packed([clip for clip in usable if clip.split == split], classes, manifest_path)
        counts = write_shards(
            videos,
            folder=target,
            shard_bytes=shard_bytes,
            videos_per_shard=videos_per_shard,
            seed=seed,
            show_progress=show_progress,
        )
        (target / NAMES_FILE).write_text("\n".join(classes) + "\n", encoding="utf-8")
        splits.append(Split(target, len(videos), counts))
    return clips, splits


def parse_bytes(text: str) -> int:
    """A number of bytes, such as "500MB" or "1.5 GB" (10^6, 10^9 bytes).

    Raises:
        ValueError: it is no such number.
    """
    plain = text.strip().upper()
    number = plain.rstrip("BKMGT")
    unit = plain[len(number) :]
    try:
        num_bytes = int(float(number) * UNITS[unit])
    except (ValueError, KeyError, OverflowError):
        num_bytes = 0
    if num_bytes < 1:
        raise ValueError(f"{text!r} is no size; write e.g. 500MB or 1GB")
    return num_bytes


def _checked(clip: Clip) -> Clip:
    """The clip, with a reason where its file is no video with a frame in it."""
    if clip.reason:
        return clip
    source = DecodeRequest(str(clip.path), "pyav", None)
    try:
        probe_video(source, source.deadline())
    except DecodeError as error:
        return replace(clip, reason=str(error))
    return clip


def _packed(clips: Sequence[Clip], classes: Sequence[str], manifest_path: Path) -> list[Packed]:
    number = {name: position for position, name in enumerate(classes)}
    keys = sample_keys(clip.path.stem for clip in clips)
    packed = []
    for clip, key in zip(clips, keys, strict=True):
        written = written_path(clip.path, manifest_path)
        video_id = key if os.path.isabs(written) else written  # no path of this machine in a shard
        size = os.path.getsize(clip.path)
        packed.append(Packed(clip.path, key, size, clip.label, number[clip.label], video_id, clip.split))
    return packed
