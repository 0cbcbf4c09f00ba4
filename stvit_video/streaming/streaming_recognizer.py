"""Sliding-window recognition of videos that don't end: `StreamingRecognizer` computes every frame once."""

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np

from stvit_video.data.transforms.preprocessing import Preprocessing
from stvit_video.evaluation.view_average import NonFiniteLogitsError, probabilities_of_views
from stvit_video.streaming.open_steps import open_steps
from stvit_video.streaming.run_stream import OnLate, StreamRun, run_stream
from stvit_video.streaming.sources import StreamSource
from stvit_video.streaming.step_models import require_stride
from stvit_video.streaming.token_ring import TokenRing
from stvit_video.utils.ranges import require_rate

USUAL_FPS = 30.0  # of a video whose rate nobody has told
Answer = tuple[float, np.ndarray]


@dataclass(frozen=True)
class EncodedAnew:
    """What it cost that tokens are generated elsewhere.

    Attributes:
        num_frames: that were encoded once more.
        seconds: that it took.
    """

    num_frames: int
    seconds: float


class StreamingRecognizer:
    """Labels the last frames of a stream again and again; the logits are those of `model(clip that ends there)`.

    The tokens of a step of frames, a tubelet, are computed once and kept, and an answer costs the new frames and what
    the model does behind the generation of tokens. The first answer comes when a window is full, the next ones after
    each `stride_frames`. Memory is fixed: two windows of tokens, of preprocessed frames and of times.

    One thread pushes at a time. Several streams, each with a recognizer of its own, may take turns at one model.
    Weights that change in mid-stream need `reset()`, and so does a gap: `push` takes frames as they come, while `run`
    begins the window anew behind one.

    Args:
        model_or_bundle: the path of a checkpoint or of a bundle exported with streaming=true, a `Recognizer`, a
            stvit_video_deit_ or stvit_video_casvit_ model, or a `StepModel`.
        stride_frames: frames, at the model's sampling, from one answer to the next; a multiple of the tubelet.
        target_fps: frames a second that are pushed. None = times are counted at 30 / frame_stride of the preprocessing,
            whatever rate the video has; in `run` it is every frame_stride-th frame of the source.
        preprocessing: what a bare model is fed with.

    Attributes:
        model: the `StepModel`.
        classes: label names in the order of the logits.
        multi_label: True = each logit has a probability of its own (sigmoid).
        preprocessing: frames of a window, their distance and sizes.
        num_frames: frames of a window.
        frames_per_step: frames of a tubelet.
        stride_frames: as given.
        target_fps: as given.
        spent: seconds for "preprocess", "encode" and "decide", all pushes since the start together.

    Raises:
        BundleError, CheckpointError, MissingLibraryError: as `open_steps`.
        ValueError: a model that can't be computed step by step, or a value out of range.

    Source: the window of mmaction2's webcam demo, computed as the streams of MoViNet (arXiv:2103.11511) are.
    """

    def __init__(
        self,
        model_or_bundle: Any,
        stride_frames: int = 4,
        target_fps: float | None = None,
        *,
        preprocessing: Preprocessing | None = None,
    ) -> None:
        self.model = model = open_steps(model_or_bundle, preprocessing=preprocessing)
        self.classes, self.multi_label, self.preprocessing = model.classes, model.multi_label, model.preprocessing
        self.num_frames, self.frames_per_step = model.num_frames, model.frames_per_step
        self.stride_frames = require_stride(stride_frames, frames_per_step=self.frames_per_step)
        if target_fps is not None:
            require_rate("target_fps", target_fps)
        self.target_fps = target_fps
        self.spent = {"preprocess": 0.0, "encode": 0.0, "decide": 0.0}
        self._tokens = TokenRing(self.num_frames // self.frames_per_step)
        self._frames = TokenRing(self.num_frames + self.frames_per_step)  # a window, and a step that is not whole yet
        self._seconds = TokenRing(self.num_frames)
        self._run: weakref.ref[StreamRun] | None = None
        self.reset()

    def __repr__(self) -> str:
        words = f"{len(self.classes)} classes, {self.num_frames} frames at {self.fps:g} a second"
        return f"StreamingRecognizer({type(self.model).__name__}, {words}, stride_frames={self.stride_frames})"

    @property
    def fps(self) -> float:
        """Frames a second that the model sees, where the times of the frames say nothing else."""
        return self.target_fps or USUAL_FPS / self.preprocessing.frame_stride

    @property
    def window_seconds(self) -> tuple[float, float] | None:
        """Times of the first and the newest frame of the last window that was answered; None = none was yet."""
        return self._window_seconds

    @property
    def num_bytes(self) -> int:
        """Memory that is kept for the stream: tokens, preprocessed frames, times."""
        return sum(ring.num_bytes for ring in (self._tokens, self._frames, self._seconds))

    def reset(self) -> None:
        """Forget the stream: the next frame is the first one, of a window and of a tubelet."""
        for ring in (self._tokens, self._frames, self._seconds):
            ring.clear()
        self._num_pushed, self._num_encoded = 0, 0  # frames since the start; of these, in steps that are whole
        self._next_answer = self.num_frames  # frames that are pushed by then
        self._newest = -1 / self.fps  # time of the last frame that was pushed
        self._encoded_at = self.model.generate_at
        self._window_seconds: tuple[float, float] | None = None
        self._sizes: dict[str, tuple[int, ...]] = {}  # of the frames that were pushed, by their type

    def push(self, frames: Any, *, seconds: Sequence[float] | np.ndarray | None = None) -> list[Answer]:
        """Take the next frames of the stream, any number of them.

        The frames go on from those before. Behind a gap, or when the pictures get another size, call `reset()`.

        Args:
            frames: (n, H, W, 3) uint8 RGB, resized and cropped here as the checkpoint says; or, for a model in torch,
                (C, n, H, W) float, as a clip of the model is. They come at the model's sampling, `fps` a second; n may
                be 0.
            seconds: (n,) times of the frames, none before an earlier one; None = 1 / `fps` after each other.

        Returns:
            (seconds, logits) for each stride that was completed: the time of the window's newest frame, and
            (num_classes,) float32. Often none.

        Raises:
            NonFiniteLogitsError: the model gives NaN or infinite logits; `reset()` before going on.
            ValueError: frames that the model does not take, of another size than those before, or times that go back;
                a `run` of this recognizer is not over. Nothing of it is taken then.
        """
        self._require_no_run()
        return self._push(frames, seconds=seconds)

    def _push(self, frames: Any, *, seconds: Sequence[float] | np.ndarray | None = None) -> list[Answer]:
        """See `push`; a run of this recognizer may be going on."""
        given = self.model.checked(frames)  # (n, ...)
        times = self._times(len(given), seconds)
        self._require_same_size(given)
        if self.model.generate_at != self._encoded_at:  # another stream of this model has moved it
            self._encode_anew()
        answers, start = [], 0
        while start < len(given):
            stop = start + min(len(given) - start, self._next_answer - self._num_pushed, self.num_frames)
            self._take(given[start:stop], times[start:stop])
            if self._num_pushed == self._next_answer:
                self._next_answer += self.stride_frames
                answers.append(self._answer())
            start = stop
        return answers

    def run(
        self,
        source: StreamSource,
        *,
        on_late: OnLate = "drop",
        allow_addresses: bool = False,
        timeout_seconds: float = 10.0,
        max_reconnects: int = 5,
        reconnect_seconds: float = 0.5,
        max_seconds: float | None = None,
    ) -> StreamRun:
        """Read a source to its end and give a `Step` for each stride; arguments and errors are those of `run_stream`.

        Args:
            source: the path of a file; a camera's number; an address; or an iterator of (seconds, frame).
            on_late: "drop" = of a source that is faster than the model the newest frames win; "wait" = it may lag.
            allow_addresses: True = an address may be opened.
            timeout_seconds: how long opening a source and waiting for its next data may take.
            max_reconnects: attempts to open a camera or address anew, without a connection that lasts between.
            reconnect_seconds: before the first attempt; before each further one it is twice as long.
            max_seconds: of the source, after which the stream ends; None = with the source.

        Raises:
            ValueError: another run of this recognizer is not over.
        """
        self._require_no_run()
        pushed: Any = _OfRun(self, self._push)
        run = run_stream(
            pushed,
            source,
            on_late=on_late,
            allow_addresses=allow_addresses,
            timeout_seconds=timeout_seconds,
            max_reconnects=max_reconnects,
            reconnect_seconds=reconnect_seconds,
            max_seconds=max_seconds,
        )
        self._run = weakref.ref(run)
        return run

    def probabilities(self, logits: np.ndarray) -> np.ndarray:
        """Logits (num_classes,) of an answer -> probabilities (num_classes,) float32."""
        return probabilities_of_views(logits[None], average="prob", multi_label=self.multi_label)

    def set_num_tokens(self, num_tokens: int | Sequence[int]) -> None:
        """Answer with another number of semantic tokens from now on, at no cost; for all streams of the model.

        Raises:
            ValueError: the model can't make so many, or is a bundle.
        """
        self.model.set_num_tokens(num_tokens)

    def set_generate_at(self, place: int) -> EncodedAnew:
        """Generate tokens behind that many blocks from now on; for all streams of the model.

        The frames of a window are encoded anew, once; other streams of the model do so at their next push.

        Returns:
            What it cost; it is in `spent`, too.

        Raises:
            ValueError: the model can't, or is a bundle.
        """
        self.model.set_generate_at(place)
        return self._encode_anew()

    def _take(self, frames: Any, times: np.ndarray) -> None:
        """Keep frames (n, ...), a window at most, and encode the steps that are whole now."""
        before = perf_counter()
        self._frames.append(self.model.preprocess(frames))
        self.spent["preprocess"] += perf_counter() - before
        self._seconds.append(times)
        self._num_pushed, self._newest = self._num_pushed + len(times), float(times[-1])
        num_open = self._num_pushed % self.frames_per_step  # frames of a step that is not whole
        num_whole = self._num_pushed - num_open - self._num_encoded
        self._num_encoded += num_whole
        is_seen = self._num_encoded > self._next_answer - self.num_frames  # else the next window begins behind it
        if num_whole and is_seen:
            self._encode(num_whole, num_open)

    def _encode(self, num_frames: int, num_open: int) -> None:
        """Append the tokens of the last `num_frames` that are followed by `num_open`."""
        before = perf_counter()
        self._tokens.append(self.model.encode(self._frames.latest(num_frames + num_open)[:num_frames]))
        self.spent["encode"] += perf_counter() - before

    def _encode_anew(self) -> EncodedAnew:
        """Replace the tokens by those that the model gives now."""
        before = perf_counter()
        num_open = self._num_pushed % self.frames_per_step
        num_whole = min(len(self._tokens) * self.frames_per_step, len(self._frames) - num_open)
        self._tokens.clear()
        self._encoded_at = self.model.generate_at
        if num_whole:
            self._encode(num_whole, num_open)
        return EncodedAnew(num_whole, perf_counter() - before)

    def _answer(self) -> Answer:
        """Time and logits of the window that ends with the last frame."""
        before = perf_counter()
        logits = self.model.decide(self._tokens.latest(self._tokens.num_kept))  # (num_classes,)
        self.spent["decide"] += perf_counter() - before
        if not np.isfinite(logits).all():
            raise NonFiniteLogitsError(f"the model gives NaN or infinite logits at {self._newest:.3f} s of the stream")
        window = self._seconds.latest(self.num_frames)
        self._window_seconds = (float(window[0]), float(window[-1]))
        return self._newest, logits

    def _require_no_run(self) -> None:
        run = None if self._run is None else self._run()
        if run is not None and not run.is_over:
            raise ValueError(
                f"a run of this recognizer on {run.summary.source} is not over; read it to its end or close() it, or "
                "make another StreamingRecognizer of the same model"
            )

    def _require_same_size(self, frames: Any) -> None:
        """Raise where frames (n, ...) have another size than those of their type before, and else keep their size."""
        if len(frames) == 0:
            return
        kind, size = str(frames.dtype), tuple(frames.shape[1:])
        if self._sizes.setdefault(kind, size) != size:
            raise ValueError(
                f"frames of size {size} came after frames of size {self._sizes[kind]}; call reset() before the frames "
                "of another source, or push frames of one size"
            )

    def _times(self, num_frames: int, seconds: Sequence[float] | np.ndarray | None) -> np.ndarray:
        """Times (n,) float64 of frames that are pushed."""
        if seconds is None:
            return self._newest + np.arange(1, num_frames + 1) / self.fps
        times = np.asarray(seconds, dtype=np.float64)
        if times.shape != (num_frames,):
            raise ValueError(f"seconds has shape {times.shape} for {num_frames} frames; give a time for each")
        if not np.isfinite(times).all():
            raise ValueError("seconds has NaN or infinite times; give each frame's own, or None to count by fps")
        before = [self._newest] if self._num_pushed else []
        if (np.diff(times, prepend=before) < 0).any():
            raise ValueError(
                f"seconds go back, from {self._newest:.3f} to {times.min():.3f}; call reset() before a new stream"
            )
        return times


class _OfRun:
    """A recognizer as its run sees it, which pushes while nobody else may."""

    def __init__(self, recognizer: StreamingRecognizer, push: Callable[..., list[Answer]]) -> None:
        self._recognizer, self.push = recognizer, push

    def __getattr__(self, name: str) -> Any:
        return getattr(self._recognizer, name)
