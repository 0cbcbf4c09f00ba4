"""Programs of torch.export: what every other format is made of, and a file format of its own."""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.export import Dim, ExportedProgram

BATCH = "batch"  # name of the dynamic dimension


def export_program(
    module: nn.Module, example: Tensor | Sequence[Tensor], *, largest_batch: int | None = None
) -> ExportedProgram:
    """Trace a module in evaluation to a program for any batch size; all other sizes are those of the example.

    Args:
        module: gives a tensor or a tuple of tensors, the batch first in each of them.
        example: what it takes, (B, ...) each with a B of at least 2: torch takes 0 and 1 as constants.
        largest_batch: for runtimes that ask for a bound; None = any.

    Returns:
        A program of core operators.

    Raises:
        ValueError: an example of one sample, or a module that works for the example's batch size alone.
    """
    inputs = (example,) if isinstance(example, Tensor) else tuple(example)
    if any(len(each) < 2 for each in inputs):
        raise ValueError(f"the example has a batch of {min(map(len, inputs))}; give 2 samples, as 1 becomes a constant")
    batch = Dim(BATCH, min=1, max=largest_batch)
    try:
        with torch.no_grad():
            program = torch.export.export(module, inputs, dynamic_shapes=tuple({0: batch} for _ in inputs))
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
    outputs = _values(program, program.graph_signature.user_outputs)
    values = (*input_values(program).values(), *outputs.values())
    return all(isinstance(value.shape[0], torch.SymInt) for value in values)


def input_values(program: ExportedProgram) -> dict[str, Tensor]:
    """The inputs of a program by name, as tensors without memory that have its types and sizes."""
    return _values(program, program.graph_signature.user_inputs)


def write_program(program: ExportedProgram, path: Path) -> None:
    """Write a program to a .pt2 file, which `torch.export.load` reads."""
    torch.export.save(program, path)


def _values(program: ExportedProgram, names: Sequence[object]) -> dict[str, Tensor]:
    return {node.name: node.meta["val"] for node in program.graph.nodes if node.name in names}


def _specialised(module: nn.Module, batch: int) -> str:
    return (
        f"the graph of {type(module).__name__} works for a batch of {batch} alone; compute nothing from the batch size "
        f"in its forward pass"
    )
