"""From the times of all passes to the figures of a row: clips a second, latency, share of the machine, ratio."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median, quantiles
from typing import Any

from stvit_video.model_benchmark.entrant import Entrant, Timed
from stvit_video.model_benchmark.row_timing import MATRIX_SIZE
from stvit_video.model_benchmark.turns import MatrixRate, Measured

TRAINING_COST = 3  # of a forward pass: backward takes the products of each layer twice


@dataclass(frozen=True, kw_only=True)
class SpeedResult:
    """One row of a table, for one batch size.

    Attributes:
        label: of the model; `library` and `name` say it apart.
        is_ours: whether it is a model of this package.
        input_size: (T, H, W) or (H, W) that it was measured with.
        asked_batch_size: what was asked for; `batch_size` is what fits.
        gmacs: giga multiply-adds of one input, forward alone.
        tokens: of each stage, of models of ours.
        items_per_second: clips or images, from the shortest pass: of CPU time with one thread, else of wall time.
        cpu_seconds_min: of an item, all threads together; `cpu_seconds_median` likewise.
        wall_seconds_median: of an item.
        latency_p50, latency_p95: seconds of a forward pass of one item by wall time; None for other batch sizes.
        peak_bytes: the most memory that a fresh process had resident, Python and libraries included; they alone had
            `bytes_before`.
        matrix_share: operations a second over those of a large matrix product by torch in that precision, if any.
        logit_difference: of an exported model to PyTorch in fp32, the largest one as a share of the largest logit.
        baseline: the label of the dense model that `ratio` is to.
        ratio: items a second over those of the baseline, both from their shortest pass; `ratio_of_medians` likewise;
            None where the inputs differ in size.
        num_passes: how many were timed.
        notes: sentences on what is not as asked.
        failure: why there are no figures; "" = there are.
    """

    label: str
    library: str
    name: str
    is_ours: bool
    options: Mapping[str, Any]
    input_size: tuple[int, ...]
    precision: str
    backend: str
    is_training: bool
    asked_batch_size: int
    batch_size: int
    gmacs: float | None
    num_parameters: int | None
    tokens: tuple[int, ...]
    baseline: str
    num_passes: int = 0
    items_per_second: float | None = None
    cpu_seconds_min: float | None = None
    cpu_seconds_median: float | None = None
    wall_seconds_min: float | None = None
    wall_seconds_median: float | None = None
    latency_p50: float | None = None
    latency_p95: float | None = None
    peak_bytes: int | None = None
    bytes_before: int | None = None
    matrix_share: float | None = None
    logit_difference: float | None = None
    ratio: float | None = None
    ratio_of_medians: float | None = None
    notes: tuple[str, ...] = ()
    failure: str = ""

    def as_message(self) -> dict[str, Any]:
        """The row as JSON has it."""
        return {**asdict(self), "options": dict(self.options)}


def results_of(measured: Measured) -> list[SpeedResult]:
    """A row for every entrant and batch size: by precision, backend and batch size, in the order of the rows."""
    beside = {
        (entrant.row.label, entrant.precision, entrant.backend, timed.asked): _figures(entrant, timed)
        for entrant in measured.entrants
        for timed in entrant.timed.values()
    }
    rows = [
        _result(entrant, timed, measured.matrix.get(entrant.precision), beside)
        for entrant in measured.entrants
        for timed in entrant.timed.values()
    ]
    order = list(dict.fromkeys((row.precision, row.backend) for row in rows))
    return sorted(rows, key=lambda row: (order.index((row.precision, row.backend)), row.asked_batch_size))


def operations_per_second(rate: MatrixRate, *, threads: int) -> float | None:
    """Of the fastest matrix product, a multiplication and an addition each one; None where none was timed."""
    seconds = rate.cpu_seconds if threads == 1 else rate.wall_seconds
    return 2 * MATRIX_SIZE**3 / min(seconds) if seconds else None


def percentile(values: Sequence[float], percent: int) -> float:
    """By linear interpolation between the sorted values; of a single value it is that one."""
    if len(values) == 1:
        return values[0]
    return quantiles(values, n=100, method="inclusive")[percent - 1]


@dataclass(frozen=True)
class _Figures:
    best: float  # items a second
    middle: float
    input_size: tuple[int, ...]


def _figures(entrant: Entrant, timed: Timed) -> _Figures | None:
    seconds = timed.cpu_seconds if entrant.how.threads == 1 else timed.wall_seconds
    if timed.failure or not seconds:
        return None
    size = timed.batch_size
    return _Figures(size / min(seconds), size / median(seconds), entrant.described.input_size)


def _result(
    entrant: Entrant, timed: Timed, rate: MatrixRate | None, beside: Mapping[tuple[str, str, str, int], _Figures | None]
) -> SpeedResult:
    row, described, how = entrant.row, entrant.described, entrant.how
    notes = [described.note] if described.note else []
    if timed.batch_size != timed.asked:
        notes.append(f"batch {timed.asked} does not fit into the memory; measured with {max(timed.batch_size, 1)}")
    figures = _figures(entrant, timed)
    known: dict[str, Any] = {}
    if figures is not None:
        dense = beside.get((row.baseline, entrant.precision, entrant.backend, timed.asked))
        known = _known(entrant, timed, figures, rate) | _ratios(figures, dense)
    return SpeedResult(
        label=row.label,
        library=row.library,
        name=row.name,
        is_ours=row.is_ours,
        options=row.options,
        input_size=described.input_size,
        precision=entrant.precision,
        backend=entrant.backend,
        is_training=how.is_training,
        asked_batch_size=timed.asked,
        batch_size=max(timed.batch_size, 1),
        gmacs=described.gmacs,
        num_parameters=described.num_parameters,
        tokens=described.tokens,
        baseline=row.baseline,
        notes=tuple(notes),
        failure=timed.failure or ("" if figures is not None else "it has had no turn"),
        **known,
    )


def _known(entrant: Entrant, timed: Timed, figures: _Figures, rate: MatrixRate | None) -> dict[str, Any]:
    how, size = entrant.how, timed.batch_size
    peak_rate = None if rate is None else operations_per_second(rate, threads=how.threads)
    operations = 2e9 * (entrant.described.gmacs or 0.0) * (TRAINING_COST if how.is_training else 1)
    has_latency = size == 1 and not how.is_training
    return {
        "num_passes": len(timed.cpu_seconds),
        "items_per_second": figures.best,
        "cpu_seconds_min": min(timed.cpu_seconds) / size,
        "cpu_seconds_median": median(timed.cpu_seconds) / size,
        "wall_seconds_min": min(timed.wall_seconds) / size,
        "wall_seconds_median": median(timed.wall_seconds) / size,
        "latency_p50": percentile(timed.wall_seconds, 50) if has_latency else None,
        "latency_p95": percentile(timed.wall_seconds, 95) if has_latency else None,
        "peak_bytes": timed.peak_bytes,
        "bytes_before": entrant.bytes_before,
        "logit_difference": entrant.logit_difference,
        "matrix_share": operations * figures.best / peak_rate if peak_rate and entrant.described.gmacs else None,
    }


def _ratios(figures: _Figures, dense: _Figures | None) -> dict[str, float]:
    if dense is None or dense.input_size != figures.input_size:
        return {}
    return {"ratio": figures.best / dense.best, "ratio_of_medians": figures.middle / dense.middle}
