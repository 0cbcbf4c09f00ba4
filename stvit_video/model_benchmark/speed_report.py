"""What a run leaves: the head that says where and how it was measured, and the files of its results."""

import json
import os
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from stvit_video.model_benchmark.entrant import HowMeasured
from stvit_video.model_benchmark.row_timing import MATRIX_SIZE
from stvit_video.model_benchmark.speed_plot import draw_speeds
from stvit_video.model_benchmark.speed_result import SpeedResult, operations_per_second, results_of
from stvit_video.model_benchmark.speed_table import sections_of
from stvit_video.model_benchmark.turns import Measured
from stvit_video.utils.atomic_files import write_text
from stvit_video.utils.figures import draw_or_warn
from stvit_video.utils.processor import cpu_flag_words, cpu_flags, processor_name
from stvit_video.utils.provenance import load_words, provenance

FILE_NAME = "models.json"
LIBRARIES = (
    *("torch", "torchvision", "pytorchvideo", "transformers", "timm", "fvcore"),
    *("onnxruntime", "openvino", "nncf"),
)


def machine_facts(*, load_before: float | None) -> dict[str, Any]:
    """Processor, its flags, commit, versions and date, as JSON has them.

    Args:
        load_before: processes that ran in the last minute before the run; None = not known.
    """
    facts = provenance(torch.device("cpu"))
    return {
        **facts,
        "hardware": processor_name(),
        "num_cores": os.cpu_count(),
        "cpu_flags": cpu_flags(),
        "torch_cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "load_before": load_before,
        "versions": {**facts["versions"], **_versions()},
    }


def head_lines(facts: Mapping[str, Any], measured: Measured, how: HowMeasured) -> list[str]:
    """The lines above the tables: machine, versions, how it was measured, what the machine can do."""
    load = load_words(facts["load_before"])
    flags = cpu_flag_words(facts["cpu_flags"])
    threads = f"{how.threads} thread{'s' * (how.threads > 1)}"
    clock = "CPU time" if how.threads == 1 else "wall time"
    work = "training steps (forward, backward, AdamW)" if how.is_training else "forward passes"
    rates = [
        f"{name} {rate / 1e9:.0f} GFLOP/s" if rate else f"{name} failed ({measured.matrix[name].failure})"
        for name, rate in matrix_rates(measured, how).items()
    ]
    versions = ", ".join(f"{name} {number}" for name, number in facts["versions"].items())
    rounds = f"{measured.rounds} round{'s' * (measured.rounds != 1)}"
    return [
        f"{facts['hardware']}, {facts['num_cores']} cores, {threads}, load {load} before{flags and f', {flags}'}",
        f"commit {facts['commit'] or 'unknown'}, {facts['date']}; {versions}",
        f"{work}, turn by turn, {rounds}; a speed is that of the shortest pass by {clock}; "
        "peak memory is the maximum resident size of a fresh process, with Python and its libraries",
        f"product of two {MATRIX_SIZE}x{MATRIX_SIZE} matrices: {', '.join(rates)}",
    ]


def matrix_rates(measured: Measured, how: HowMeasured) -> dict[str, float | None]:
    """Operations a second of the fastest matrix product in each precision."""
    return {name: operations_per_second(rate, threads=how.threads) for name, rate in measured.matrix.items()}


def write_results(
    folder: Path, measured: Measured, *, facts: Mapping[str, Any], how: HowMeasured, settings: Mapping[str, Any]
) -> list[SpeedResult]:
    """Write `models.json`: settings, machine, matrix products, and every row with the times of each pass.

    Raises:
        OSError: it can't be written.
    """
    results = results_of(measured)
    passes = {
        (entrant.row.label, entrant.precision, entrant.backend, timed.asked): {
            "cpu_seconds": timed.cpu_seconds,
            "wall_seconds": timed.wall_seconds,
        }
        for entrant in measured.entrants
        for timed in entrant.timed.values()
    }
    content = {
        "settings": dict(settings),
        "machine": dict(facts),
        "rounds": measured.rounds,
        "matrix_operations_per_second": matrix_rates(measured, how),
        "rows": [
            {**row.as_message(), "passes": passes[row.label, row.precision, row.backend, row.asked_batch_size]}
            for row in results
        ],
    }
    write_text(folder / FILE_NAME, json.dumps(content, indent=1) + "\n")
    return results


def draw_pictures(folder: Path, results: Sequence[SpeedResult]) -> list[Path]:
    """Draw a picture of each table; one that fails is a warning. Those that were written come back."""
    drawn = []
    for section in sections_of(results):
        path = folder / f"{section.file_name}.png"
        path.unlink(missing_ok=True)  # of an earlier run
        if draw_or_warn(path, lambda section=section, path=path: draw_speeds(section, path)) and path.is_file():  # type: ignore[misc]
            drawn.append(path)
    return drawn


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
