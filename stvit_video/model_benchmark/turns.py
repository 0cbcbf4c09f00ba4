"""Measure all rows turn by turn: A B C A B C, so that a busy minute of the machine falls on all of them.

Each row has a process of its own: a crash or a lack of memory is that row's alone, its peak memory is that of a fresh
process, and no row meets the heap, the compiled code or the libraries of another. Only one process works at a time.
The others wait with their weights, where enough memory is left; else a process ends after its turn, and the next turn
starts and warms up a new one. To keep all models in one process would take as much memory without any of this, and to
start every turn anew would spend most of the time on imports, building and compilation.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from stvit_video.model_benchmark.entrant import Description, Entrant, HowMeasured, describe
from stvit_video.model_benchmark.graph_files import GraphFiles
from stvit_video.model_benchmark.machine_memory import available_bytes
from stvit_video.model_benchmark.row_process import Asked, RowError, RowProcess, Start
from stvit_video.model_benchmark.row_ways import RowWay, precisions_of_torch, rows_in

FIRST_RESERVE_BYTES = 4 * 2**30  # that must be free for a process to wait, before a peak is known
RESERVE = 1.25  # of the largest peak so far

Tell = Callable[[str], None]


@dataclass(kw_only=True)
class MatrixRate:
    """Products of two large matrices, which say what the machine can do.

    Attributes:
        precision: one of PRECISIONS.
        wall_seconds: of each product.
        cpu_seconds: of each product.
        failure: why there is none; "" = there is.
    """

    precision: str
    wall_seconds: list[float] = field(default_factory=list)
    cpu_seconds: list[float] = field(default_factory=list)
    failure: str = ""

    def take_turn(self, process: Asked) -> None:
        """Time a few products; a failure is kept."""
        try:
            answer = process.ask({"do": "multiply", "precision": self.precision})
        except RowError as error:
            self.failure = str(error)
            return
        self.wall_seconds += answer["wall"]
        self.cpu_seconds += answer["cpu"]


@dataclass(frozen=True, kw_only=True)
class Measured:
    """All that was timed, up to now.

    Attributes:
        entrants: a row in one precision and by one backend each.
        matrix: products by precision, see `precisions_of_torch`.
        rounds: that are over.
    """

    entrants: Sequence[Entrant]
    matrix: dict[str, MatrixRate]
    rounds: int


def measure_turns(
    ways: Sequence[RowWay],
    *,
    how: HowMeasured,
    rounds: int,
    graph_folder: Path | None = None,
    tell: Tell = lambda text: None,
    keep: Callable[[Measured], None] = lambda measured: None,
    start: Start = RowProcess,
) -> Measured:
    """Describe every row, then time them all in turn, `rounds` times over.

    Args:
        ways: the rows, each in a precision and by a backend.
        how: what holds for all of them.
        rounds: 1 or more.
        graph_folder: where exported models may lie until the end; needed for GRAPH_BACKENDS.
        tell: is called before each step, with what it is.
        keep: is called after each round with all that is known, so that an end before the last one loses little.
        start: starts a process.

    Returns:
        What was timed; a row that failed says so.
    """
    described: dict[str, Description] = {}
    for row in rows_in(ways):
        tell(f"counting {row.label}")
        described[row.label] = describe(row, start=start, threads=how.threads)
    graphs = None if graph_folder is None else GraphFiles(folder=graph_folder, start=start, threads=how.threads)
    entrants = [
        Entrant(
            row=way.row,
            described=described[way.row.label],
            precision=way.precision,
            backend=way.backend,
            how=how,
            start=start,
            graphs=graphs,
        )
        for way in ways
    ]
    matrix = {precision: MatrixRate(precision=precision) for precision in precisions_of_torch(ways)}
    measured = Measured(entrants=entrants, matrix=matrix, rounds=0)
    try:
        for number in range(1, rounds + 1):
            _take_round(measured, number=number, rounds=rounds, tell=tell, start=start, threads=how.threads)
            measured = Measured(entrants=entrants, matrix=measured.matrix, rounds=number)
            keep(measured)
    finally:
        for entrant in entrants:
            entrant.end()
    return measured


def has_room(entrants: Sequence[Entrant]) -> bool:
    """Whether a process may wait: there is more memory free than the largest row has taken; True = nobody knows."""
    free = available_bytes()
    peaks = [one.peak_bytes for entrant in entrants for one in entrant.timed.values() if one.peak_bytes]
    reserve = max(RESERVE * max(peaks, default=0), FIRST_RESERVE_BYTES)
    return free is None or free > reserve


def _take_round(measured: Measured, *, number: int, rounds: int, tell: Tell, start: Start, threads: int) -> None:
    where = f"round {number} of {rounds}"
    tell(f"{where}: matrix products")
    process = start(threads)
    try:
        for rate in measured.matrix.values():
            rate.take_turn(process)
    finally:
        process.end()
    for place, entrant in enumerate(measured.entrants, start=1):
        tell(
            f"{where}: {place} of {len(measured.entrants)}, {entrant.row.label}, {entrant.backend} {entrant.precision}"
        )
        entrant.take_turn()
        entrant.park(lambda: has_room(measured.entrants))
