"""Fixed views (clips x crops) of listed videos, for evaluation: nothing random, nothing substituted.

Views leave the loader in bytes and are normalised on the device, see `DeviceTransform`.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from stvit_video.data.decoding.request import DecodeError
from stvit_video.data.loading.frame_source import Decoding, manifest_source
from stvit_video.data.loading.given_frames import Frames
from stvit_video.data.loading.targets import target_of
from stvit_video.data.loading.worker_crashes import ReadingNow
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.sampling.protocols import equal_views, find_protocol
from stvit_video.data.transforms.functional import channels_first, resize_short_side
from stvit_video.data.transforms.preprocessing import Preprocessing


class ViewDataset(Dataset[dict[str, Any]]):
    """All views (clips x crops) of each listed video, for evaluation; nothing random, nothing substituted.

    All views of a video come from one pass over its file: each wanted frame is decoded and resized once.

    Args:
        manifest: the listed videos.
        preprocessing: frames of a clip, their distance, sizes and normalisation; for a named protocol from
            `NamedProtocol.preprocessing`.
        protocol: which frames and crops, a name from `stvit_video.data.sampling.protocols`; "uniform" = clips are
            spread evenly.
        num_clips: clips of a video.
        num_crops: crops of each clip: 1 = the centre, 3 = along the long side.
        decoding: decoder, and what is kept in memory.
        source: where frames come from, in place of one that `decoding` describes.

    Attributes:
        reading_now: which video each loader process is reading.

    Raises:
        ValueError: a setting is not allowed, or the cache needs more memory than allowed.
    """

    def __init__(
        self,
        manifest: Manifest,
        *,
        preprocessing: Preprocessing,
        protocol: str = "uniform",
        num_clips: int = 1,
        num_crops: int = 1,
        decoding: Decoding = Decoding(),  # noqa: B008 - frozen
        source: Frames | None = None,
    ) -> None:
        if num_clips < 1 or num_crops not in (1, 3):
            raise ValueError(f"num_clips={num_clips} must be at least 1, num_crops={num_crops} must be 1 or 3")
        self.manifest = manifest
        self.preprocessing = preprocessing
        self.protocol = find_protocol(protocol)
        self.num_clips = num_clips
        self.num_crops = num_crops
        self.reading_now = ReadingNow()
        self.source: Frames = source or manifest_source(
            manifest,
            decoding,
            preprocessing=preprocessing,
            warn=False,  # the items tell
        )

    def share_memory(self) -> None:
        """Put what loader processes write into shared memory, also where that was full before.

        Raises:
            RuntimeError: it is full still.
        """
        self.reading_now.share_memory()

    @property
    def num_views(self) -> int:
        """Views of each video: num_clips * num_crops."""
        return self.num_clips * self.num_crops

    def __len__(self) -> int:
        return len(self.manifest.records)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """All views of one video; the crops of the first clip come first, then those of the second, ...

        Returns:
            "views" (V, C, T, H, W) uint8; "label", see `target_of`; "index"; "error", empty when the video was read;
            "seconds", how long the video or its segment lasts; "clip_starts_seconds", for each view the time of its
            first frame, counted from the first frame of the file; "crops", for each view the number of its crop;
            "same_as", for each view the first view that equals it (itself, unless the video is short or square). Of an
            unreadable video the views are zeros and the times are NaN.
        """
        record = self.manifest.records[index]
        label = target_of(self.manifest, record)
        item = {"label": label, "index": index, "crops": list(range(self.num_crops)) * self.num_clips}
        try:
            with self.reading_now.of(index):
                return item | self._read_views(record) | {"error": ""}
        except DecodeError as error:
            size, num_frames = self.preprocessing.crop_size, self.preprocessing.num_frames
            zeros = torch.zeros(self.num_views, 3, num_frames, size, size, dtype=torch.uint8)
            nothing = [math.nan] * self.num_views
            missing = {"views": zeros, "clip_starts_seconds": nothing, "same_as": list(range(self.num_views))}
            return item | missing | {"seconds": math.nan, "error": str(error)}

    def _read_views(self, record: VideoRecord) -> dict[str, Any]:
        durations: list[float] = []
        clips: list[list[int]] = []  # frame numbers in the segment
        chosen: list[int] = []  # each wanted frame once, in order

        def choose(times: FrameTimes) -> list[int]:
            durations[:] = [times.duration_seconds]
            clips[:] = self.protocol.frame_indices(
                times,
                num_frames=self.preprocessing.num_frames,
                frame_stride=self.preprocessing.frame_stride,
                num_clips=self.num_clips,
            )
            chosen[:] = sorted({index for clip in clips for index in clip})
            return chosen

        reading = self.source.read(record, choose)
        place = {index: number for number, index in enumerate(chosen)}
        rows = [[place[index] for index in clip] for clip in clips]  # num_clips x T, rows of reading.frames
        starts = [reading.seconds[row[0]] for row in rows for _ in range(self.num_crops)]
        return self._crop_views(reading.frames, rows) | {"clip_starts_seconds": starts, "seconds": durations[0]}

    def _crop_views(self, frames: torch.Tensor, rows: Sequence[Sequence[int]]) -> dict[str, Any]:
        """Views (V, 3, T, H, W) of decoded frames (n, H, W, 3), and which of them are equal."""
        size, short_side = self.preprocessing.crop_size, self.preprocessing.short_side
        frames = channels_first(frames)  # (n, 3, H, W)
        frames = resize_short_side(frames, short_side=short_side, interpolation=self.preprocessing.interpolation)
        corners = self.protocol.corners(frames.shape[-2], frames.shape[-1], crop_size=size, num_crops=self.num_crops)
        # numpy's memory and copies: fresh pages of torch's cost three times what the views themselves do
        pictures = np.ascontiguousarray(frames.transpose(0, 1).numpy())  # (3, n, h, w)
        views = np.empty((self.num_views, 3, self.preprocessing.num_frames, size, size), dtype=np.uint8)
        for view in range(self.num_views):
            top, left = corners[view % self.num_crops]
            for time, row in enumerate(rows[view // self.num_crops]):
                views[view, :, time] = pictures[:, row, top : top + size, left : left + size]
        return {"views": torch.from_numpy(views), "same_as": equal_views(rows, corners)}
