"""Core ML packages of programs, for Apple's devices."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.export import ExportedProgram

from stvit_video.bundles.bundle_formats import FORMATS
from stvit_video.exporting.torch_program import input_values
from stvit_video.utils.optional import load_optional

OPERATORS = "coremltools.converters.mil.frontend.torch"
LARGEST_BATCH = 64  # Core ML asks for a bound


def write_coreml(program: ExportedProgram, path: Path, *, outputs: Sequence[str]) -> None:
    """Write a program as an ML program in float32, for batches of up to 64; only macOS can run it.

    Args:
        program: of `export_program`, after `patches_by_convolution`; inputs have the names in it. Core ML takes no
            bytes: uint8 becomes int32.
        path: of the .mlpackage folder.
        outputs: their names.

    Raises:
        MissingLibraryError: coremltools is missing.
    """
    form = FORMATS["coreml"]
    coremltools, operators, registry = (
        load_optional(name, needed_for=f"format={form.name}", install=form.install)
        for name in ("coremltools", f"{OPERATORS}.ops", f"{OPERATORS}.torch_op_registry")
    )
    registry.register_torch_op(operators.noop, torch_alias=["alias"], override=True)  # it knows no alias
    batch = coremltools.RangeDim(lower_bound=1, upper_bound=LARGEST_BATCH, default=1)
    with _without_bytes(program), redirect_stderr(StringIO()):  # bars of progress
        model = coremltools.convert(
            program,
            convert_to="mlprogram",
            inputs=[_input(coremltools, name, value, batch) for name, value in input_values(program).items()],
            outputs=[coremltools.TensorType(name=name) for name in outputs],
            compute_precision=coremltools.precision.FLOAT32,
            skip_model_load=True,
        )
    model.save(str(path))


@contextmanager
def _without_bytes(program: ExportedProgram) -> Iterator[None]:
    """Let inputs of uint8 be int32 for a while; what reads them makes floats of either."""
    nodes = [node for node in program.graph.nodes if node.name in program.graph_signature.user_inputs]
    before = [node.meta["val"] for node in nodes]
    try:
        for node, value in zip(nodes, before, strict=True):
            node.meta["val"] = value.to(torch.int32) if value.dtype == torch.uint8 else value
        yield
    finally:
        for node, value in zip(nodes, before, strict=True):
            node.meta["val"] = value


def _input(coremltools: Any, name: str, value: torch.Tensor, batch: Any) -> Any:
    dtype = np.int32 if value.dtype == torch.int32 else np.float32
    return coremltools.TensorType(name=name, shape=(batch, *map(int, value.shape[1:])), dtype=dtype)
