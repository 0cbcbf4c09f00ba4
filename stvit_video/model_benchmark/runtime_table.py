"""The speeds of models on several runtimes and in several precisions as one table, beside eager PyTorch."""

from collections.abc import Iterable, Sequence

from stvit_video.model_benchmark.row_ways import EAGER
from stvit_video.model_benchmark.speed_result import SpeedResult
from stvit_video.model_benchmark.speed_table import style_of
from stvit_video.model_benchmark.text_table import TextTable, digits

WORDS_LEFT = 3
NOTES = (
    '"to eager" is the ratio to the same model in eager PyTorch, fp32; "to dense" is to the dense model by the same '
    'backend in the same precision, "to dense, eager" to the dense model in eager PyTorch, fp32',
    '"logits off" is the largest difference to eager PyTorch in fp32, as a share of the largest logit, of one random '
    "input with random weights",
)


def runtime_tables(results: Iterable[SpeedResult]) -> list[TextTable]:
    """A table for clips and one for images, for each batch size, where there is more than one backend or precision.

    Args:
        results: in order.

    Returns:
        Tables whose rows are sorted by model; inputs of another size have no ratio.
    """
    groups: dict[tuple[bool, int], list[SpeedResult]] = {}
    for row in results:
        groups.setdefault((len(row.input_size) != 3, row.asked_batch_size), []).append(row)
    several = [rows for rows in groups.values() if len({(row.backend, row.precision) for row in rows}) > 1]
    return [_table(rows) for rows in sorted(several, key=lambda rows: len(rows[0].input_size) != 3)]


def speed_ratio(row: SpeedResult, other: SpeedResult | None) -> float | None:
    """Inputs a second over those of another row; None where one has none, or takes another input."""
    if other is None or not row.items_per_second or not other.items_per_second or row.input_size != other.input_size:
        return None
    return row.items_per_second / other.items_per_second


def only_peer(rows: Sequence[SpeedResult]) -> SpeedResult | None:
    """The peer that was measured in eager PyTorch, fp32, where there is one alone."""
    peers = [row for row in rows if not row.is_ours and _is_eager(row) and row.items_per_second]
    return peers[0] if len(peers) == 1 else None


def _table(rows: Sequence[SpeedResult]) -> TextTable:
    eager = {_model_of(row): row for row in rows if _is_eager(row)}
    models = {row.label: _model_of(row) for row in rows}  # a label stands for one model, a model may have two labels
    peer = only_peer(rows)
    order = list(dict.fromkeys(models.values()))
    ordered = sorted(rows, key=lambda row: order.index(_model_of(row)))
    first = rows[0]
    unit = "clip" if len(first.input_size) == 3 else "image"
    against = [] if peer is None else [f"to {peer.name}, eager"]
    lines = [
        (
            row.label,
            row.backend,
            row.precision,
            "failed" if row.failure else digits(row.cpu_seconds_min, scale=1e3),
            digits(speed_ratio(row, eager.get(_model_of(row))), "x"),
            digits(row.ratio, "x"),
            digits(speed_ratio(row, eager.get(models.get(row.baseline, ""))), "x"),
            *(digits(speed_ratio(row, peer), "x") for _ in against),
            digits(row.logit_difference, " %", scale=100),
        )
        for row in ordered
    ]
    training = "training steps, " if first.is_training else ""
    failures = [f"{row.label}, {row.backend} {row.precision}: {row.failure}" for row in ordered if row.failure]
    return TextTable(
        title=f"{unit.capitalize()}s, {training}all backends and precisions, batch {first.asked_batch_size}",
        header=(
            *("model", "backend", "precision", f"CPU ms/{unit}", "to eager", "to dense", "to dense, eager"),
            *against,
            "logits off",
        ),
        lines=tuple(lines),
        styles=tuple(map(style_of, ordered)),
        notes=(*NOTES, *failures),
        num_words=WORDS_LEFT,
    )


def _model_of(row: SpeedResult) -> str:
    """The same for rows of one model, whatever becomes of its batch norms on export."""
    return repr((row.library, row.name, sorted(row.options.items())))


def _is_eager(row: SpeedResult) -> bool:
    return (row.backend, row.precision) == (EAGER, "fp32")
