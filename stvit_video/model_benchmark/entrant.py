"""A row in one precision and by one backend: it takes its turns in a process that waits between them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stvit_video.model_benchmark.graph_files import GraphFiles
from stvit_video.model_benchmark.model_row import ModelRow
from stvit_video.model_benchmark.row_process import Asked, RowError, Start
from stvit_video.model_benchmark.row_ways import GRAPH_BACKENDS
from stvit_video.model_benchmark.row_worker import MEMORY

LEAST_PASSES = {1: 3}  # of a turn, by batch size: latency needs several; 1 for all others
COMPILING_PASSES = 2  # the first one compiles


@dataclass(frozen=True, kw_only=True)
class Description:
    """What a row is, without its speed.

    Attributes:
        input_size: (T, H, W) or (H, W) that it is measured with.
        note: why that is not the size asked for; "" = it is.
        gmacs: giga multiply-adds of one input.
        num_parameters: values in all parameters.
        tokens: tokens of each stage, of models of ours.
        failure: why it can't be measured at all; "" = it can.
    """

    input_size: tuple[int, ...]
    note: str = ""
    gmacs: float | None = None
    num_parameters: int | None = None
    tokens: tuple[int, ...] = ()
    failure: str = ""


@dataclass(frozen=True, kw_only=True)
class HowMeasured:
    """What holds for all rows of a run.

    Attributes:
        batch_sizes: ascending, so that the peak of each is not that of a larger one.
        seconds: of CPU time that a turn gives each of them.
        threads: that torch may use.
        is_training: True = whole training steps in place of forward passes.
    """

    batch_sizes: tuple[int, ...]
    seconds: float
    threads: int
    is_training: bool


@dataclass(kw_only=True)
class Timed:
    """The passes of one row with one batch size.

    Attributes:
        asked: the batch size that was asked for.
        batch_size: the one that fits.
        wall_seconds: of each pass.
        cpu_seconds: of each pass, all threads together.
        peak_bytes: the most memory that a fresh process had resident up to this batch size.
        failure: why there is nothing; "" = there is.
    """

    asked: int
    batch_size: int
    wall_seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    peak_bytes: int | None = None
    failure: str = ""


@dataclass(kw_only=True)
class Entrant:
    """One row in one precision and by one backend.

    Args:
        row: which model.
        described: as `describe` gives it.
        precision: one of ALL_PRECISIONS.
        backend: one of BACKENDS.
        how: what holds for all rows.
        start: starts a process.
        graphs: of exported models; needed for GRAPH_BACKENDS.

    Attributes:
        timed: by the batch size that was asked for.
        bytes_before: what a process had resident at most before the model was built: Python and its libraries.
        logit_difference: see `logit_difference`; None where torch runs the model.
    """

    row: ModelRow
    described: Description
    precision: str
    backend: str
    how: HowMeasured
    start: Start
    graphs: GraphFiles | None = None
    timed: dict[int, Timed] = field(init=False)
    bytes_before: int | None = field(default=None, init=False)
    logit_difference: float | None = field(default=None, init=False)
    _process: Asked | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        self.timed = {
            asked: Timed(asked=asked, batch_size=asked, failure=self.described.failure)
            for asked in self.how.batch_sizes
        }

    def take_turn(self) -> None:
        """Time every batch size that has not failed; a batch that does not fit is halved, and keeps the smaller size.

        A failure becomes part of what is timed, and does not go on to other rows.
        """
        for asked, timed in self.timed.items():
            while not timed.failure:
                try:
                    self._time(timed, is_first=asked == min(self.timed))
                    break
                except RowError as error:
                    self.end()
                    self._take_failure(timed, error)

    def park(self, has_room: Callable[[], bool]) -> None:
        """Let the process wait for its next turn where there is room, else end it; the next turn starts a new one."""
        if not has_room():
            self.end()

    def end(self) -> None:
        """End the process, if there is one."""
        process, self._process = self._process, None
        if process is not None:
            process.end()

    def _time(self, timed: Timed, *, is_first: bool) -> None:
        is_fresh = not timed.cpu_seconds or self._process is None
        process = self._prepared()
        passes = COMPILING_PASSES if self.backend == "compile" else 1
        answer = process.ask(
            {
                "do": "time",
                "batch_size": timed.batch_size,
                "precision": self.precision,
                "warmup": passes if is_fresh else int(is_first),
                "seconds": self.how.seconds,
                "least": LEAST_PASSES.get(timed.batch_size, 1),
            }
        )
        timed.wall_seconds += answer["wall"]
        timed.cpu_seconds += answer["cpu"]
        timed.peak_bytes = timed.peak_bytes or answer["peak_bytes"]

    def _prepared(self) -> Asked:
        if self._process is None:
            folder = self._graph_folder()
            self._process = self.start(self.how.threads)
            answer = self._process.ask(
                {
                    "do": "prepare",
                    "row": self.row.to_message(),
                    "input_size": self.described.input_size,
                    "backend": self.backend,
                    "train": self.how.is_training,
                    **({} if folder is None else {"precision": self.precision, "folder": str(folder)}),
                }
            )
            self.bytes_before = answer["bytes_before"]
            self.logit_difference = answer.get("logit_difference")
        return self._process

    def _graph_folder(self) -> Path | None:
        """Where the exported model lies; None where torch runs the model."""
        if self.backend not in GRAPH_BACKENDS:
            return None
        assert self.graphs is not None
        return self.graphs.folder_of(
            self.row, input_size=self.described.input_size, backend=self.backend, precision=self.precision
        )

    def _take_failure(self, timed: Timed, error: RowError) -> None:
        if error.kind != MEMORY:
            timed.failure = str(error)
        elif timed.batch_size == 1:
            timed.failure = f"it does not fit into the memory, not even with batch 1 ({error})"
        else:
            timed.batch_size //= 2
            timed.wall_seconds.clear()
            timed.cpu_seconds.clear()
            timed.peak_bytes = None


def describe(row: ModelRow, *, start: Start, threads: int) -> Description:
    """What a row is, told by a process of its own, which then ends: counting takes memory, too."""
    process: Asked | None = None
    try:
        process = start(threads)
        answer = process.ask({"do": "describe", "row": row.to_message()})
    except RowError as error:
        return Description(input_size=row.input_size, failure=str(error))
    finally:
        if process is not None:
            process.end()
    sizes: dict[str, Sequence[int]] = {name: tuple(answer[name]) for name in ("input_size", "tokens")}
    return Description(**{**answer, **sizes})
