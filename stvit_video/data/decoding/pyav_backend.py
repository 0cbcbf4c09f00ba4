"""PyAV behind `open_video`: seeks, decodes forward, checks every timestamp, and leaves out what nobody needs."""

import bisect
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, islice
from typing import Any

import numpy as np

from stvit_video.data.decoding.container import av_failure, open_container
from stvit_video.data.decoding.packets import is_unreferenced, nal_length_size
from stvit_video.data.decoding.probe import ScannedFile, VideoIndex, opening_seconds, reading_seconds
from stvit_video.data.decoding.reader import LIBRARIES
from stvit_video.data.decoding.request import Deadline, DecodeError, DecodeRequest, DecodeTimeoutError
from stvit_video.data.decoding.rgb_conversion import RgbConversion, turned_picture
from stvit_video.utils.optional import load_optional

__all__ = ["PyavReader"]


class PyavReader:
    """Seeks to the keyframe at or before a wanted frame and decodes forward, checking every timestamp.

    H.264 frames that are not wanted and that no other frame depends on never reach the decoder: a third to a half of
    the frames of usual files, without any effect on the others. Where a frame comes out damaged or out of place, all
    is decoded from the start instead, with nothing left out; that is the standard of truth.

    Where the packets can't be trusted (`VideoIndex.distrust`) it decodes the whole file once when it is made, to
    count the displayed frames, and reads from the start afterwards.

    Args:
        source: the file.
        index: what it holds.
        deadline: of this call.
        scanned: the open file that the index is from; it is taken over, with the packets that it keeps and as far as
            it has been decoded. None = open the file when frames are asked for.

    Attributes:
        other_sizes: (width, height) of frames that were read and are stored in another size than the first; they are
            scaled to it, as the ffmpeg command does.
    """

    def __init__(
        self, source: DecodeRequest, index: VideoIndex, deadline: Deadline, *, scanned: ScannedFile | None = None
    ) -> None:
        self._source = source
        self._av = load_optional(**LIBRARIES["pyav"])
        self._to_rgb = RgbConversion(self._av, height=index.coded_height, width=index.coded_width)
        self._keyframes = index.keyframes
        self._may_leave_out = not index.distrust
        self._container: Any = None
        self._stream: Any = None
        self._packets: Sequence[Any] | None = None  # all of the stream, where they are kept in memory
        self._length_size: int | None = None
        self._frames: Iterator[Any] | None = None
        self._next = 0  # position of the frame that comes next out of self._frames, but for those left out
        self._wanted: frozenset[int] = frozenset()  # timestamps of the call that is served
        self._left_out: set[int] = set()  # timestamps
        self._after_seek = False
        self.other_sizes: set[tuple[int, int]] = set()
        if scanned is not None:
            self._take_over(scanned, is_usable=not index.distrust)
        self.index = self._counted(index, deadline) if index.distrust else index

    def read(self, indices: Sequence[int], deadline: Deadline) -> np.ndarray:
        """The frames at these positions: (n, H, W, 3) uint8 RGB.

        Raises:
            DecodeError: a wanted frame, or one that it depends on, can't be decoded; or time is over.
        """
        if self._keyframes != self.index.keyframes:
            deadline = self._source.extended(deadline, self._seconds_from_start(indices))
        try:
            return self._read(indices, deadline)
        except DecodeError as error:
            plain = not (self._after_seek or self._left_out)
            self.close()
            if isinstance(error, DecodeTimeoutError) or plain:
                raise
        self._keyframes, self._may_leave_out = (0,), False
        return self._read(indices, self._source.extended(deadline, self._seconds_from_start(indices)))

    def _seconds_from_start(self, indices: Sequence[int]) -> float:
        return reading_seconds(self.index, indices, keyframes=self._keyframes)

    def close(self) -> None:
        """Close the file."""
        if self._container is not None:
            self._container.close()
        self._container = self._stream = self._packets = self._frames = None

    def _take_over(self, scanned: ScannedFile, *, is_usable: bool) -> None:
        if not is_usable or scanned.packets is None:
            scanned.container.close()
            return
        self._hold(scanned.container, scanned.stream)
        self._packets = scanned.packets
        rest = islice(scanned.packets, scanned.num_decoded, None)
        self._frames = chain(scanned.frames, self._decoded(rest))

    def _hold(self, container: Any, stream: Any) -> None:
        self._container, self._stream = container, stream
        self._length_size = nal_length_size(stream.codec_context.name, stream.codec_context.extradata)

    def _read(self, indices: Sequence[int], deadline: Deadline) -> np.ndarray:
        out = np.empty((len(indices), self.index.height, self.index.width, 3), dtype=np.uint8)
        slots: dict[int, list[int]] = {}
        for slot, position in enumerate(indices):
            slots.setdefault(position, []).append(slot)
        self._wanted = frozenset(self.index.pts[position] for position in slots)
        for position in sorted(slots):
            out[slots[position]] = self._displayed(self._frame_at(position, deadline))  # (H, W, 3)
        return out

    def _frame_at(self, position: int, deadline: Deadline) -> Any:
        """The decoded frame at this position, by the shortest way from where the decoder stands."""
        keyframe = self._keyframes[bisect.bisect_right(self._keyframes, position) - 1]
        is_behind = self._next > position or self.index.pts[position] in self._left_out
        if self._frames is None or is_behind or self._next < keyframe:
            self._start_at(keyframe, deadline)
        while True:
            frame = self._pull(deadline)
            if self._next > position:
                return frame

    def _pull(self, deadline: Deadline) -> Any:
        """The next frame that was not left out, checked to be the one that the index promises."""
        frame = self._decode_one(deadline)
        while self._next < len(self.index.pts) and self.index.pts[self._next] in self._left_out:
            self._next += 1  # whether to leave out a frame is decided before any frame that is displayed later comes
        if frame is None:
            raise self._lost(f"the file ends after {self._next} frames")
        if not self.index.distrust and frame.pts != self.index.pts[self._next]:
            raise self._lost(f"timestamp {frame.pts} comes instead of {self.index.pts[self._next]}")
        if (self._after_seek or self._left_out) and frame.is_corrupt:
            raise self._lost("it is damaged")
        self._next += 1
        return frame

    def _decode_one(self, deadline: Deadline) -> Any:
        """Whatever frame comes next, None at the end."""
        self._source.check_time(deadline, "decoding")
        assert self._frames is not None
        try:
            return next(self._frames, None)
        except (self._av.FFmpegError, OSError, ValueError, MemoryError) as error:
            raise av_failure(self._av, self._source, error, "decoding", self._lost_frame()) from error

    def _decoded(self, packets: Iterator[Any]) -> Iterator[Any]:
        """The frames of these packets, without those that nobody needs."""
        for packet in packets:
            is_wanted = packet.pts in self._wanted or packet.pts is None
            if self._may_leave_out and not is_wanted and self._serves_no_other(packet):
                self._left_out.add(packet.pts)
            else:
                yield from packet.decode()

    def _serves_no_other(self, packet: Any) -> bool:
        return is_unreferenced(packet, codec=self.index.codec, length_size=self._length_size)

    def _lost(self, cause: str) -> DecodeError:
        return self._source.error(f"{self._lost_frame()} ({cause})")

    def _lost_frame(self) -> str:
        return f"frame {self._next} of {len(self.index.pts)} is lost"

    def _start_at(self, keyframe: int, deadline: Deadline) -> None:
        """Stand before the frame at this position, which decoding may start from."""
        target = self.index.pts[keyframe] if keyframe else None
        self._next, self._after_seek, self._left_out = keyframe, target is not None, set()
        frames = self._decoded(self._packets_from(target))
        self._frames = frames if target is None else self._skip_before(target, frames, deadline)

    def _packets_from(self, target: int | None) -> Iterator[Any]:
        """The packets from the keyframe with this timestamp, or a little earlier; None = all, of a fresh decoder."""
        if self._packets is not None:
            self._stream.codec_context.flush_buffers()
            numbers = (number for number, packet in enumerate(self._packets) if packet.pts == target)
            first = 0 if target is None else next(numbers)
            return islice(self._packets, first, None)
        if target is None or self._container is None:
            self.close()
            self._hold(*open_container(self._av, self._source))
        if target is not None:
            try:
                self._container.seek(target, stream=self._stream)
            except (self._av.FFmpegError, OSError, ValueError, MemoryError) as error:
                raise av_failure(self._av, self._source, error, "decoding", self._lost_frame()) from error
        packets: Iterator[Any] = self._container.demux(self._stream)
        return packets

    def _skip_before(self, target: int, frames: Iterator[Any], deadline: Deadline) -> Iterator[Any]:
        """Drop what is displayed before the keyframe: it may lack the frames that it depends on."""
        before = True
        for frame in frames:
            before = before and frame.pts is not None and frame.pts < target
            if not before:
                yield frame
            else:
                self._source.check_time(deadline, "seeking")

    def _displayed(self, frame: Any) -> np.ndarray:
        """(H, W, 3) uint8 RGB, turned as the file says."""
        size, index = (frame.width, frame.height), self.index
        if size != (index.coded_width, index.coded_height):
            self.other_sizes.add(size)
        try:
            picture = self._to_rgb.picture(frame)  # (h, w, 3) as stored
        except (self._av.FFmpegError, ValueError) as error:
            raise self._source.error(f"a frame of format {frame.format.name!r} can't be made RGB ({error})") from error
        return turned_picture(picture, quarter_turns=index.quarter_turns, flipped=index.flipped)

    def _guessed_pts(self, position: int) -> int:
        """The timestamp of a frame that has none, by the stated rate."""
        if self.index.stated_fps is None:
            raise self._source.error(f"frame {position} has no timestamp, and the file states no frame rate")
        return round(position / (self.index.stated_fps * self.index.time_base_seconds))

    def _counted(self, index: VideoIndex, deadline: Deadline) -> VideoIndex:
        """The index with the timestamps of the frames that a decode of the whole file displays."""
        self.index = index
        pts: list[int] = []
        last_duration = 0
        try:
            deadline = self._source.extended(deadline, opening_seconds(index))
            self._start_at(0, deadline)
            while (frame := self._decode_one(deadline)) is not None:
                pts.append(self._guessed_pts(len(pts)) if frame.pts is None else frame.pts)
                last_duration = frame.duration or 0
                self._next = len(pts)
        finally:
            self.close()
        if index.container == "avi":  # its stamps are places, but those of frames in the order of storage
            pts.sort()
        return replace(index, pts=tuple(pts), keyframes=(0,), last_duration=last_duration)
