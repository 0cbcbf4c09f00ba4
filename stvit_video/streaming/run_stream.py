"""From a source to steps: `run_stream`."""

import math
from collections.abc import Generator, Iterator
from contextlib import closing
from inspect import GEN_CLOSED, getgeneratorstate
from itertools import chain, islice
from types import TracebackType
from typing import Literal, get_args

from stvit_video.data.decoding.request import DecodeError
from stvit_video.layers.numbers import whole_number
from stvit_video.streaming.frame_choice import ChosenFrame, FrameChooser
from stvit_video.streaming.late_watch import LateWatch
from stvit_video.streaming.live_source import DEFAULT_INTERVAL_SECONDS, LiveSource
from stvit_video.streaming.source_container import SourceContainer
from stvit_video.streaming.source_frames import SourceError, given_frames
from stvit_video.streaming.sources import Source, StreamSource, find_source
from stvit_video.streaming.step_maker import PushedRecognizer, StepMaker
from stvit_video.streaming.stream_step import Step, StreamSummary
from stvit_video.streaming.time_sampling import StampClock, usual_interval
from stvit_video.utils.ranges import require_rate

__all__ = ["OnLate", "StreamRun", "run_stream"]

OnLate = Literal["drop", "wait"]
NUM_FIRST_FRAMES = 9  # of an iterator, whose times tell the rate


class StreamRun(Iterator[Step]):
    """The steps of a stream, one after the other; made by `run_stream`.

    Closing it, or leaving its `with` block, closes the source at once. After a lost or stalled connection that may take
    a second, and a thread that ffmpeg holds ends by its timeout.

    Attributes:
        summary: how it has gone so far.
    """

    def __init__(self, steps: Generator[Step, None, None], summary: StreamSummary) -> None:
        self._steps = steps
        self.summary = summary

    @property
    def is_over(self) -> bool:
        """Whether it has come to its end, by an error too, or was closed."""
        return getgeneratorstate(self._steps) == GEN_CLOSED

    def __next__(self) -> Step:
        return next(self._steps)

    def close(self) -> None:
        """Give back the source; a second call does nothing."""
        self._steps.close()

    def __enter__(self) -> "StreamRun":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def run_stream(
    recognizer: PushedRecognizer,
    source: StreamSource,
    *,
    on_late: OnLate = "drop",
    allow_addresses: bool = False,
    timeout_seconds: float = 10.0,
    max_reconnects: int = 5,
    reconnect_seconds: float = 0.5,
    max_seconds: float | None = None,
) -> StreamRun:
    """Read a source to its end and answer each stride of it.

    Frames are chosen by their time stamps, `target_fps` a second or every frame_stride-th at the source's usual rate.
    A camera, and an address without a duration or size, is read by a thread that holds 2 chosen frames at most:
    where the machine is late, the newest win and the window spans more time than the model was trained on, as
    `Step.window` and `Step.dropped` show. A gap of the source that is longer than a window, a change of the picture's
    size, a clock that is set anew and a connection that was lost begin the window anew, see `Step.note`. A connection
    that is lost after its first picture is asked for again.

    Args:
        recognizer: a `StreamingRecognizer`; it is reset before the first frame.
        source: the path of a file; a camera's number; an address, rtsp:// or http:// and others; or an iterator of
            (seconds, frame), frames (H, W, 3) uint8 RGB, whose times are kept. Files and iterators never drop frames,
            nor does what comes in parts (HLS, DASH).
        on_late: "drop" or "wait" for a source that is faster than the model: with "wait" it may lag behind.
        allow_addresses: True = an address may be opened.
        timeout_seconds: how long opening a camera or address and waiting for its next data may take. The next item of
            an iterator is waited for however long it takes.
        max_reconnects: attempts to open a camera or address anew, without a connection that lasts timeout_seconds.
        reconnect_seconds: before the first attempt; before each further one it is twice as long, at most 30.
        max_seconds: of the source from its first frame, after which the stream ends; a live source that is silent ends
            then by the clock; None = with the source.

    Returns:
        The steps, to be iterated once, with their `summary`. The source is opened with the first one.

    Raises:
        DecodeError: the file is not there, or can't be read.
        SourceError: the camera is not there; while it runs, a source that can't be opened, is lost for good, ends
            before one window is full, or a file that ends before its header says.
        ValueError: what is no source, an address that is not allowed, a setting out of range, a target_fps above twice
            the source's rate, or items of an iterator that are no frames.
    """
    if on_late not in get_args(OnLate):
        raise ValueError(f"on_late={on_late!r} is unknown; use one of {', '.join(get_args(OnLate))}")
    require_rate("timeout_seconds", timeout_seconds)
    require_rate("reconnect_seconds", reconnect_seconds)
    if max_seconds is not None:
        require_rate("max_seconds", max_seconds)
    whole_number("max_reconnects", max_reconnects, minimum=0)
    found = find_source(source, allow_addresses=allow_addresses)
    summary = StreamSummary(source=found.shown)
    chooser = FrameChooser(
        num_frames=recognizer.num_frames,
        frame_stride=recognizer.preprocessing.frame_stride,
        target_fps=recognizer.target_fps,
        clock=StampClock(keeps_origin=found.kind == "iterator"),
        summary=summary,
    )
    if found.kind == "iterator":
        frames = _of_iterator(found, chooser, summary, needs_rate=recognizer.target_fps is None)
    elif found.kind == "file":
        frames = _of_file(found, chooser, summary, timeout_seconds=timeout_seconds)
    else:
        live = LiveSource(
            found,
            chooser=chooser,
            summary=summary,
            drop=on_late == "drop",
            timeout_seconds=timeout_seconds,
            max_reconnects=max_reconnects,
            reconnect_seconds=reconnect_seconds,
            max_seconds=max_seconds,
        )
        frames = _of_thread(live)
    return StreamRun(_all_steps(recognizer, frames, summary, max_seconds), summary)


Waited = tuple[ChosenFrame, float]  # and the seconds that it has waited for the model


def _of_iterator(
    source: Source, chooser: FrameChooser, summary: StreamSummary, *, needs_rate: bool
) -> Generator[Waited, None, None]:
    assert source.frames is not None
    summary.is_live = False
    frames = given_frames(source.frames)
    first = list(islice(frames, NUM_FIRST_FRAMES))
    interval = usual_interval([frame.stamp_seconds for frame in first], stated_fps=None)
    if interval is None and needs_rate and len(first) > 1:
        raise ValueError("the times of the first frames of the iterator are all the same; give target_fps")
    chooser.begin(interval or DEFAULT_INTERVAL_SECONDS)
    for chosen in chooser.chosen(chain(first, frames)):
        yield chosen, 0.0


def _of_file(
    source: Source, chooser: FrameChooser, summary: StreamSummary, *, timeout_seconds: float
) -> Generator[Waited, None, None]:
    summary.is_live = False
    with closing(SourceContainer(source, timeout_seconds=timeout_seconds)) as container:
        if container.note:
            summary.add_note(container.note)
        if container.interval_seconds is None:
            raise SourceError(f"{source.shown} states no frame rate, and its time stamps give none")
        chooser.begin(container.interval_seconds)
        for chosen in chooser.chosen(container.frames(summary.count_damage)):
            yield chosen, 0.0


def _of_thread(live: LiveSource) -> Generator[Waited, None, None]:
    with live:
        yield from live.frames()


def _all_steps(
    recognizer: PushedRecognizer,
    frames: Generator[Waited, None, None],
    summary: StreamSummary,
    max_seconds: float | None,
) -> Generator[Step, None, None]:
    maker, late = StepMaker(recognizer, summary, max_seconds=max_seconds), LateWatch(summary)
    end_seconds = math.inf
    try:
        with closing(frames):
            for frame, waited_seconds in frames:
                if max_seconds is not None and end_seconds == math.inf:
                    end_seconds = frame.seconds[0] + max_seconds
                if frame.seconds[0] > end_seconds:
                    break
                late.look()
                yield from maker.steps(frame, waited_seconds=waited_seconds)
        maker.require_steps()
    except DecodeError as error:
        summary.error = str(error)
        raise
