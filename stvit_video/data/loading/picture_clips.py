"""Training clips of a few frames of a video, read as pictures and changed alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import Dataset

from stvit_video.data.loading.listed_pictures import RandomPictures
from stvit_video.data.loading.picture_batch import collate_pictures
from stvit_video.data.loading.replacements import read_or_replace
from stvit_video.data.manifests.faults import ManifestError
from stvit_video.data.manifests.manifest import Manifest
from stvit_video.data.manifests.picture_sequences import FrameRecord, require_sequences, sequence_rows

__all__ = ["FrameClips", "PictureClips", "clip_rows", "collate_picture_clips"]

Rows = tuple[int, ...]


@dataclass(frozen=True, kw_only=True)
class FrameClips:
    """Which frames a training clip has.

    Attributes:
        num_frames: of a clip; 1 = each picture stands for itself.
        stride: places in the video from one frame of a clip to the next.

    Raises:
        ValueError: one is below 1.
    """

    num_frames: int = 1
    stride: int = 1

    def __post_init__(self) -> None:
        if min(self.num_frames, self.stride) < 1:
            raise ValueError(f"clip_frames={self.num_frames} and clip_stride={self.stride} must be at least 1")


class PictureClips(Dataset[list[dict[str, Any]]]):
    """Clips of a few frames, each a list of items of the pictures, in order.

    A sequence gives as many clips an epoch as it has frames / clip_frames, at least one. Each begins at a random frame
    of its own part of the sequence. All frames of a clip are changed by the same draws. A clip with a frame that can't
    be read is replaced by another one, and that frame is counted. What a clip is depends on (seed, epoch, number) only.

    Args:
        clips: gives the frames.
        frames: which frames a clip has.

    Raises:
        ManifestError: the pictures are no frames of videos, or no sequence is long enough.
    """

    def __init__(self, clips: RandomPictures, *, frames: FrameClips) -> None:
        self.clips = clips
        self.rows = clip_rows(clips.manifest, frames)

    def __len__(self) -> int:
        """Clips of an epoch."""
        return len(self.rows)

    def set_epoch(self, epoch: int) -> None:
        """Draw otherwise from now on, also in workers that run already; call it between two epochs."""
        self.clips.set_epoch(epoch)

    def __getitem__(self, number: int) -> list[dict[str, Any]]:
        """The items of a clip, as the pictures give them; what was passed over stands in the first of them.

        Raises:
            BrokenVideosError: too many clips in a row can't be read.
        """
        broken: dict[int, int] = {}  # clip -> the frame of it that can't be read

        def read(candidate: int, generator: torch.Generator) -> tuple[Rows, list[Any]]:
            rows = self._drawn(candidate, generator)
            state, samples = generator.get_state(), []
            for row in rows:
                broken[candidate] = row
                generator.set_state(state)
                samples.append(self.clips.read_sample(row, generator))
            return rows, self.clips.changed(samples, generator)

        found = read_or_replace(
            read,
            number,
            num_listed=len(self),
            seed=self.clips.seed,
            epoch=self.clips.epoch,
            max_attempts=self.clips.max_attempts,
            kind="clip",
        )
        items = [
            self.clips.item_of(content, row) | {"index": row, "num_skipped": 0, "skipped": []}
            for row, content in zip(*found.content, strict=True)
        ]
        skipped = [(broken[candidate], reason) for candidate, reason in found.skipped]
        items[0] |= {"num_skipped": found.num_skipped, "skipped": skipped}
        return items

    def _drawn(self, number: int, generator: torch.Generator) -> Rows:
        choices = self.rows[number]
        return choices[int(torch.randint(len(choices), (), generator=generator))]


def clip_rows(pictures: Manifest, frames: FrameClips) -> list[tuple[Rows, ...]]:
    """The clips of an epoch: for each the numbers in the list of the frames that it may have, one of them is drawn.

    Args:
        pictures: the list; a frame that is not listed breaks the clips that it would be in.
        frames: which frames a clip has.

    Raises:
        ManifestError: the pictures are no frames of videos, they change their size, or no sequence is long enough.
    """
    setting = f"data.clip_frames={frames.num_frames}"
    require_sequences(pictures, setting=setting)
    found: list[tuple[Rows, ...]] = []
    members = sequence_rows(pictures)
    for rows in members:
        places = {_place(pictures, row): row for row in rows}
        wanted = [[place + n * frames.stride for n in range(frames.num_frames)] for place in places]
        able = [tuple(places[place] for place in clip) for clip in wanted if all(place in places for place in clip)]
        count = min(len(able), max(1, len(rows) // frames.num_frames))
        found += [tuple(able[n * len(able) // count : (n + 1) * len(able) // count]) for n in range(count)]
    if not found:
        span = (frames.num_frames - 1) * frames.stride + 1
        raise ManifestError(
            f"{setting} at data.clip_stride={frames.stride} needs {span} frames on end, and the longest of "
            f"{len(members)} sequences has {max(map(len, members))}; lower one of the two"
        )
    return found


def collate_picture_clips(clips: Sequence[list[dict[str, Any]]]) -> dict[str, Any]:
    """Make a batch of `PictureClips` items.

    Returns:
        As `collate_pictures`, clip behind clip, and "clip_frames", the frames of each.
    """
    return collate_pictures([item for clip in clips for item in clip]) | {"clip_frames": len(clips[0])}


def _place(pictures: Manifest, row: int) -> int:
    record = pictures.records[row]
    assert isinstance(record, FrameRecord)
    return record.frame_place
