"""ONNX files of programs."""

import logging
from collections.abc import Sequence
from pathlib import Path

import torch
from torch.export import ExportedProgram

from stvit_video.exporting.torch_program import BATCH
from stvit_video.utils.quiet_loggers import quiet_loggers

LARGEST_FILE_BYTES = 2**31  # what a file of protocol buffers can hold
STRUCTURE_BYTES = 2**26  # room for everything but weights


def write_onnx(program: ExportedProgram, path: Path, *, outputs: Sequence[str]) -> None:
    """Write a program as an ONNX file, whose first dimensions are symbolic; inputs have the names in the program.

    Weights stand in the file, and only those of over 2 GB beside it, in `<file>.data`.

    Args:
        program: of `export_program`.
        path: of the file.
        outputs: their names.

    Raises:
        MissingLibraryError: onnx or onnxscript is missing; `write_graph` asks before it traces.
    """
    inputs = list(program.graph_signature.user_inputs)
    size = sum(value.numel() * value.element_size() for value in (*program.state_dict.values(), *_constants(program)))
    # a bias with a gradient would change the kernel of attention, and the strides it gives; and the optimiser tells of
    # every operator that it leaves as it is
    with torch.no_grad(), quiet_loggers("onnxscript", level=logging.ERROR):
        torch.onnx.export(
            program,
            f=path,
            dynamo=True,
            dynamic_shapes=tuple({0: BATCH} for _ in inputs),  # of a program, this only names the symbols
            input_names=inputs,
            output_names=list(outputs),
            external_data=size > LARGEST_FILE_BYTES - STRUCTURE_BYTES,
            verbose=False,
        )


def _constants(program: ExportedProgram) -> list[torch.Tensor]:
    return [value for value in program.constants.values() if isinstance(value, torch.Tensor)]
