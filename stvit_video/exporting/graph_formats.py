"""From a module to a file that another runtime reads."""

import copy
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.export import ExportedProgram

from stvit_video.bundles.bundle_formats import FORMATS, GraphFormat, find_format
from stvit_video.exporting.coreml_package import write_coreml
from stvit_video.exporting.executorch_program import LARGEST_BATCH, write_executorch
from stvit_video.exporting.fold_norms import fold_norms
from stvit_video.exporting.onnx_file import write_onnx
from stvit_video.exporting.openvino_file import write_openvino
from stvit_video.exporting.patch_convolutions import patches_by_convolution
from stvit_video.exporting.torch_program import export_program, write_program

__all__ = ["FORMATS", "GraphFormat", "find_format", "write_graph"]

FEW_AXES = ("coreml", "executorch")  # tensors have at most five axes in Core ML, six in XNNPACK


def write_graph(
    module: nn.Module,
    example: Tensor | Sequence[Tensor],
    folder: Path,
    name: str,
    *,
    format: str,
    precision: str = "fp32",
    outputs: Sequence[str] = ("logits",),
    keeps_norms: bool = False,
    quantise: Callable[[ExportedProgram, Any], Any] | None = None,
) -> Path:
    """Write the graph of a module, batch norms folded into convolutions, for any batch size.

    Args:
        module: such as a `ClipGraph`; it stays as it is.
        example: what it takes, (B, ...) with B = 2, of the sizes that the graph will have.
        folder: where the file goes; it exists.
        name: of the file, without ending.
        format: a name in `FORMATS`.
        precision: one of the format's.
        outputs: names of what the module gives.
        keeps_norms: True = batch norms are not folded.
        quantise: for precision="int8": makes the model in 8 bits of the program and its `openvino.Model`.

    Returns:
        The path of the file, or of the folder that the format takes for a file.

    Raises:
        MissingLibraryError: a library that the format needs is missing.
        ValueError: no such format, a precision that it lacks, int8 without `quantise`, or a module whose graph works
            for one batch size alone.
    """
    form = find_format(format)
    form.check_precision(precision)
    if (precision == "int8") != (quantise is not None):
        raise ValueError(f"precision={precision} came {'with' if quantise else 'without'} quantise, which int8 needs")
    form.check_libraries()
    largest = LARGEST_BATCH if form.name == "executorch" else None
    copied = copy.deepcopy(module).eval() if keeps_norms else fold_norms(module)
    if form.name in FEW_AXES:
        copied = patches_by_convolution(copied)
    program = export_program(copied, example, largest_batch=largest)
    path = folder / f"{name}{form.ending}"
    if form.name == "torch_export":
        write_program(program, path)
    elif form.name == "onnx":
        write_onnx(program, path, outputs=outputs)
    elif form.name == "openvino":
        write_openvino(program, path, outputs=outputs, quantise=quantise and partial(quantise, program))
    elif form.name == "coreml":
        write_coreml(program, path, outputs=outputs)
    else:
        assert form.name == "executorch"
        write_executorch(program, path)
    return path
