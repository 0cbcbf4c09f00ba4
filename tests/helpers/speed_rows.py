"""Measured rows, made up: a dense model, one of ours with few tokens, a peer and a row that failed."""

from row_services import tiny_row

from stvit_video.model_benchmark.entrant import Description, Entrant, HowMeasured
from stvit_video.model_benchmark.model_row import ModelRow
from stvit_video.model_benchmark.row_process import RowProcess
from stvit_video.model_benchmark.turns import MatrixRate, Measured


def peer_row(label: str) -> ModelRow:
    return ModelRow(label=label, library="timm", name=label, input_size=(12, 20), baseline="deit_tiny")


def measured_rows(*, is_training: bool = False, threads: int = 1) -> Measured:
    """Seconds of a pass: dense 4 to 8, ours a quarter of it, the peer as dense; wall time is twice the CPU time."""
    how = HowMeasured(batch_sizes=(1, 2), seconds=1.0, threads=threads, is_training=is_training)
    chosen = [
        (tiny_row(), Description(input_size=(12, 20), gmacs=0.4, num_parameters=7, tokens=(15,)), 4.0),
        (
            tiny_row("ours, after 1", name="stvit_deit_tiny", generate_at=1),
            Description(input_size=(12, 20), gmacs=0.1, num_parameters=8, tokens=(15, 3)),
            1.0,
        ),
        (peer_row("peer"), Description(input_size=(24, 24), gmacs=0.4, num_parameters=9, note="at its own size"), 4.0),
        (peer_row("absent"), Description(input_size=(12, 20), failure="timm is gone"), None),
    ]
    entrants = []
    for row, described, seconds in chosen:
        entrant = Entrant(row=row, described=described, precision="fp32", backend="eager", how=how, start=RowProcess)
        for size, timed in entrant.timed.items():
            if seconds is not None:
                timed.cpu_seconds = [size * seconds, size * seconds * 1.5, size * seconds * 2]
                timed.wall_seconds = [2 * value for value in timed.cpu_seconds]
                timed.peak_bytes = size * 10**8
        entrant.bytes_before = None if seconds is None else 5 * 10**7
        entrants.append(entrant)
    matrix = {"fp32": MatrixRate(precision="fp32", cpu_seconds=[10.0, 20.0], wall_seconds=[30.0, 40.0])}
    return Measured(entrants=entrants, matrix=matrix, rounds=3)
