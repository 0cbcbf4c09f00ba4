"""How rows are run: in a precision, by torch itself or as an exported graph on another runtime."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import get_args

from stvit_video.bundles.bundle_formats import FORMATS, Precision
from stvit_video.model_benchmark.model_row import ModelRow
from stvit_video.model_benchmark.row_timing import PRECISIONS

EAGER = "eager"
GRAPH_BACKENDS = ("onnx", "openvino")  # formats of exported graphs; the others run in torch
BACKENDS = (EAGER, "compile", *GRAPH_BACKENDS)
ALL_PRECISIONS: tuple[str, ...] = get_args(Precision)


@dataclass(frozen=True, kw_only=True)
class RowWay:
    """A row in one precision and by one backend.

    Attributes:
        row: which model.
        precision: one of ALL_PRECISIONS.
        backend: one of BACKENDS.
    """

    row: ModelRow
    precision: str
    backend: str


def precisions_of(backend: str) -> tuple[str, ...]:
    """The precisions that a backend has."""
    return FORMATS[backend].precisions if backend in GRAPH_BACKENDS else tuple(PRECISIONS)


def ways_of(rows: Iterable[ModelRow], *, precisions: Sequence[str], backends: Sequence[str]) -> list[RowWay]:
    """Every row in each precision by each backend that has it: by precision, then backend, then row.

    Raises:
        ValueError: no backend has any of the precisions.
    """
    pairs = [pair for pair in product(precisions, backends) if pair[0] in precisions_of(pair[1])]
    if not pairs:
        known = "; ".join(f"{backend} has {', '.join(precisions_of(backend))}" for backend in backends)
        raise ValueError(
            f"precision={','.join(precisions)} is none of backend={','.join(backends)}: {known}; give one of these"
        )
    chosen = list(rows)
    return [RowWay(row=row, precision=precision, backend=backend) for precision, backend in pairs for row in chosen]


def rows_in(ways: Sequence[RowWay]) -> list[ModelRow]:
    """The rows of some ways, each once."""
    return list({way.row.label: way.row for way in ways}.values())


def precisions_of_torch(ways: Iterable[RowWay]) -> list[str]:
    """The precisions that torch computes in for some ways, and fp32 wherever it is.

    Not bf16 of exported models alone: where the processor has none, a product of large matrices takes torch a minute.
    """
    asked = [way.precision for way in ways if way.precision == "fp32" or way.backend not in GRAPH_BACKENDS]
    return list(dict.fromkeys(asked))


def left_out(*, precisions: Sequence[str], backends: Sequence[str]) -> list[str]:
    """Pairs that `ways_of` leaves out, such as "onnx bf16"."""
    return [
        f"{backend} {precision}"
        for precision, backend in product(precisions, backends)
        if precision not in precisions_of(backend)
    ]
