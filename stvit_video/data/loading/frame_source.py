"""Frames of listed videos: decoded when they are asked for, or decoded once and kept in memory."""

import logging
import math
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import torch
from tqdm import tqdm

from stvit_video.data.decoding.request import DecodeError, DecoderKilledError
from stvit_video.data.decoding.video import open_video
from stvit_video.data.loading.chosen_frames import chosen_frames
from stvit_video.data.loading.picture_reader import open_image
from stvit_video.data.manifests.manifest import Manifest, VideoRecord
from stvit_video.data.sampling.frame_times import FrameTimes
from stvit_video.data.shards.tar_reader import FetchError, open_member
from stvit_video.data.transforms.crops import resized_size
from stvit_video.data.transforms.functional import channels_first, resize_short_side
from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.utils.choices import Cache, Interpolation
from stvit_video.utils.open_files import refuse_for_open_files

CHUNK_BYTES = 256 * 2**20  # decoded at once while the cache is filled
NO_FAULT_OF_THE_VIDEO = (FetchError, DecoderKilledError)  # it may come the next time
NUM_ESTIMATED = 32  # videos that are opened to estimate the size of the cache

Result = TypeVar("Result")

_log = logging.getLogger(__name__)


class Reading(NamedTuple):
    """Frames (n, H, W, 3) uint8 RGB, and the time of each in seconds, counted from the first frame of the file."""

    frames: torch.Tensor
    seconds: list[float]


@dataclass(frozen=True)
class _CachedVideo:
    """Answers like an open video."""

    frames: torch.Tensor  # (num_frames, H, W, 3) uint8
    times: FrameTimes

    @property
    def num_frames(self) -> int:
        return len(self.frames)

    def read(self, indices: Sequence[int]) -> torch.Tensor:
        return self.frames[list(indices)]


class FrameSource:
    """Reads frames of videos; what turned out to be broken is remembered and not opened again.

    Args:
        backend: decoder, see `open_video`.
        time_limit_seconds: for opening and for each reading of one video; None = it grows with the video, see
            `open_video`.
        warn: log one warning for each broken file; False where the caller itself reports each of them.
    """

    def __init__(self, *, backend: str = "auto", time_limit_seconds: float | None = None, warn: bool = True) -> None:
        self.backend = backend
        self.time_limit_seconds = time_limit_seconds
        self.warn = warn
        self._cached: dict[str, _CachedVideo] = {}  # by `VideoRecord.place`
        self._broken: dict[VideoRecord, str] = {}

    @property
    def num_cached_bytes(self) -> int:
        """Memory that the kept frames take."""
        return sum(video.frames.nbytes for video in self._cached.values())

    def read(self, record: VideoRecord, choose: Callable[[FrameTimes], Sequence[int]]) -> Reading:
        """Read chosen frames of one listed video (or of its segment) in one pass.

        Args:
            record: the listed video.
            choose: times of the frames of the segment -> indices into them, in any order.

        Raises:
            DecodeError: the video can't be read, or its segment begins behind its end.
            OpenFilesError: too many files are open, which is no fault of the video.
        """
        return self.with_video(record, lambda video: _read_segment(video, record, choose))

    def with_video(self, record: VideoRecord, work: Callable[[Any], Result]) -> Result:
        """Do `work` with the open video; what turns out to be broken is remembered.

        Raises:
            DecodeError, OpenFilesError: as `read`.
        """
        if record in self._broken:
            raise DecodeError(self._broken[record])
        try:
            with self._open(record) as video:
                return work(video)
        except NO_FAULT_OF_THE_VIDEO:
            raise
        except DecodeError as error:
            refuse_for_open_files(error)
            self._remember_broken([record], error)
            raise

    def preload(
        self,
        records: Iterable[VideoRecord],
        *,
        short_side: int,
        limit_gb: float = 8.0,
        num_threads: int = 4,
        interpolation: Interpolation = "bilinear",
    ) -> None:
        """Decode each file once and keep all its frames, so that forked workers share them.

        Args:
            records: the listed videos.
            short_side: frames with a larger short side are resized to it, in pixels.
            limit_gb: most memory to take, in 10^9 bytes.
            num_threads: files decoded at the same time.
            interpolation: how frames are resized.

        Raises:
            ValueError: more memory than `limit_gb` is needed.
        """
        by_place: dict[str, list[VideoRecord]] = defaultdict(list)
        for record in records:
            by_place[record.place].append(record)
        files = list(by_place.values())  # the records of each file
        firsts = [listed[0] for listed in files]
        self._require_fit(self._estimated_bytes(firsts, short_side), len(files), short_side, limit_gb)
        num_bytes = 0
        pool = ThreadPoolExecutor(num_threads)
        try:
            jobs = {pool.submit(self._decode_whole, listed[0], short_side, interpolation): listed for listed in files}
            for number, job in enumerate(_with_progress(jobs), start=1):
                num_bytes += self._keep(job, jobs[job])
                if num_bytes > limit_gb * 1e9:
                    self._require_fit(num_bytes / number * len(jobs), len(jobs), short_side, limit_gb)
        finally:
            pool.shutdown(cancel_futures=True)
        if self._broken:
            first = next(iter(self._broken.values()))
            _log.warning("%d listed videos can't be read, first: %s", len(self._broken), first)

    def _keep(self, job: "Future[_CachedVideo]", records: Sequence[VideoRecord]) -> int:
        """Store the result of one decoding; returns the bytes it takes."""
        try:
            video = job.result()
        except FetchError as error:
            _log.warning("%s; it is not kept, and is read whenever it is asked for", error)
            return 0
        except DecodeError as error:
            refuse_for_open_files(error)
            self._remember_broken(records, error)
            return 0
        self._cached[records[0].place] = video
        return video.frames.nbytes

    def _remember_broken(self, records: Sequence[VideoRecord], error: DecodeError) -> None:
        """Note the records, which are of one file, and say so where none of the file was noted before."""
        is_new = records[0].place not in {known.place for known in self._broken}
        self._broken.update(dict.fromkeys(records, str(error)))
        if self.warn and is_new:
            _log.warning("%s", error)  # which names the file

    def _open(self, record: VideoRecord) -> AbstractContextManager[Any]:
        if record.place in self._cached:
            return nullcontext(self._cached[record.place])
        if record.is_picture:
            return open_image(record)
        if record.byte_range is not None:
            return open_member(record, backend=self.backend, time_limit_seconds=self.time_limit_seconds)
        return open_video(record.path, backend=self.backend, time_limit_seconds=self.time_limit_seconds)

    def _decode_whole(self, record: VideoRecord, short_side: int, interpolation: Interpolation) -> _CachedVideo:
        with self._open(record) as video:
            size = _cached_size(video.height, video.width, short_side)
            chunk = max(1, CHUNK_BYTES // (video.height * video.width * 3))
            frames = torch.empty(video.num_frames, *size, 3, dtype=torch.uint8)
            for first in range(0, video.num_frames, chunk):
                indices = range(first, min(first + chunk, video.num_frames))
                decoded = torch.from_numpy(video.read(list(indices)))  # (n, H, W, 3)
                frames[first : indices.stop] = _resized(decoded, size, interpolation)
            return _CachedVideo(frames, video.times)

    def _estimated_bytes(self, files: Sequence[VideoRecord], short_side: int) -> float:
        """Expected size of the cache, from the headers of NUM_ESTIMATED videos spread over the list."""
        sizes = []
        for record in files[:: math.ceil(len(files) / NUM_ESTIMATED) or 1]:
            try:
                with self._open(record) as video:
                    sizes.append(math.prod(_cached_size(video.height, video.width, short_side)) * 3 * video.num_frames)
            except DecodeError:  # counted and reported when the whole file is decoded
                continue
        return sum(sizes) / max(1, len(sizes)) * len(files)

    def _require_fit(self, num_bytes: float, num_videos: int, short_side: int, limit_gb: float) -> None:
        if num_bytes > limit_gb * 1e9:
            raise ValueError(
                f"cache='memory' needs about {num_bytes / 1e9:.3g} GB for {num_videos} videos with a short side "
                f"of {short_side} pixels, cache_limit_gb={limit_gb:g} is allowed; "
                "raise cache_limit_gb, lower cache_short_side, or set cache='none'"
            )


@dataclass(frozen=True, kw_only=True)
class Decoding:
    """How listed videos are read.

    Attributes:
        backend: decoder, see `open_video`.
        time_limit_seconds: for opening and for each reading of one video, see `open_video`.
        cache: "memory" = decode all videos once and keep them; "none" = decode whenever one is asked for.
        cache_short_side: pixels of the short side of kept frames; None = that of the preprocessing.
        cache_limit_gb: most memory to take for the kept frames of one list, in 10^9 bytes.
    """

    backend: str = "auto"
    time_limit_seconds: float | None = None
    cache: Cache = "none"
    cache_short_side: int | None = None
    cache_limit_gb: float = 8.0


def manifest_source(
    manifest: Manifest, decoding: Decoding, *, preprocessing: Preprocessing, num_threads: int = 4, warn: bool = True
) -> FrameSource:
    """A source for the videos of `manifest`; with cache="memory" they are all decoded now.

    Raises:
        ValueError: kept frames would have to be enlarged, or the videos need more than `cache_limit_gb`.
    """
    source = FrameSource(backend=decoding.backend, time_limit_seconds=decoding.time_limit_seconds, warn=warn)
    short_side = cached_short_side(decoding.cache_short_side, preprocessing)
    if decoding.cache == "memory":
        source.preload(
            manifest.records,
            short_side=short_side,
            limit_gb=decoding.cache_limit_gb,
            num_threads=num_threads,
            interpolation=preprocessing.interpolation,
        )
    return source


def cached_short_side(cache_short_side: int | None, preprocessing: Preprocessing) -> int:
    """The short side of kept frames, in pixels: as wished, or that of `preprocessing`.

    Raises:
        ValueError: kept frames would have to be enlarged.
    """
    if cache_short_side is None:
        return preprocessing.short_side
    if cache_short_side < preprocessing.short_side:
        raise ValueError(
            f"cache_short_side={cache_short_side} is less than short_side={preprocessing.short_side}, "
            "so kept frames would be enlarged again; make it as large or larger"
        )
    return cache_short_side


def _read_segment(video: Any, record: VideoRecord, choose: Callable[[FrameTimes], Sequence[int]]) -> Reading:
    indices = chosen_frames(video, record, choose)
    frames = torch.as_tensor(video.read(indices))  # (n, H, W, 3)
    return Reading(frames, video.times.seconds[indices].tolist())


def _cached_size(height: int, width: int, short_side: int) -> tuple[int, int]:
    return resized_size(height, width, short_side=min(short_side, height, width))


def _resized(frames: torch.Tensor, size: tuple[int, int], interpolation: Interpolation) -> torch.Tensor:
    """Frames (n, H, W, 3) uint8 with the short side that `size` has."""
    resized = resize_short_side(channels_first(frames), short_side=min(size), interpolation=interpolation)
    return resized.permute(0, 2, 3, 1)


def _with_progress(jobs: "Collection[Future[_CachedVideo]]") -> "Iterable[Future[_CachedVideo]]":
    return tqdm(
        as_completed(jobs),
        total=len(jobs),
        desc="decoding into memory",
        unit="video",
        disable=None,
        leave=False,
    )
