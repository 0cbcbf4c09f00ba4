"""Programs of torch.export: what every other format is made of, and a file format of its own."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

BATCH = "batch"  # name of the dynamic dimension


def export_program(module: nn.Module, example: Tensor | Sequence[Tensor]) -> ExportedProgram:
    """Trace a module in evaluation to a program for any batch size; all other sizes are those of the example.

    Args:
        module: gives a tensor or a tuple of tensors, the batch first in each of them.
        example: what it takes, (B, ...) each with a B of at least 2: torch takes 0 and 1 as constants.

    Returns:
        A program of core operators.

    Raises:
        ValueError: an example of one sample, or a module that works for the example's batch size alone.
    """
    inputs = (example,) if isinstance(example, Tensor) else tuple(example)
    if any(len(each) < 2 for each in inputs):
        raise ValueError(f"the example has a batch of {min(map(len, inputs))}; give 2 samples, as 1 becomes a constant")
    shapes = tuple({0: Dim(BATCH, min=1)} for _ in inputs)
    try:
        with torch.no_grad():
            program = torch.export.export(module, inputs, dynamic_shapes=shapes)
            program = program.run_decompositions({})
    except RuntimeError as error:
        if f"({BATCH})" not in str(error):
            raise
        raise ValueError(_specialised(module, len(inputs[0]))) from error
    if not batch_is_dynamic(program):
        raise ValueError(_specialised(module, len(inputs[0])))
    return program


def batch_is_dynamic(program: ExportedProgram) -> bool:
    """Whether the first dimension of all inputs and outputs of a program is a symbol, not a number."""
    names = {*program.graph_signature.user_inputs, *program.graph_signature.user_outputs}
    values = [node.meta["val"] for node in program.graph.nodes if node.name in names]
    return all(isinstance(value.shape[0], torch.SymInt) for value in values)


def write_program(program: ExportedProgram, path: Path) -> None:
    """Write a program to a .pt2 file, which `torch.export.load` reads."""
    torch.export.save(program, path)


def _specialised(module: nn.Module, batch: int) -> str:
    return (
        f"the graph of {type(module).__name__} works for a batch of {batch} alone; compute nothing from the batch size "
        f"in its forward pass"
    )
