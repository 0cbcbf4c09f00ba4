"""OpenVINO files of programs: `<name>.xml` with `<name>.bin` beside it."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from torch.export import ExportedProgram

from stvit_video.bundles.bundle_formats import FORMATS
from stvit_video.utils.no_reports import without_reports
from stvit_video.utils.optional import load_optional


def write_openvino(
    program: ExportedProgram,
    path: Path,
    *,
    outputs: Sequence[str],
    quantise: Callable[[Any], Any] | None = None,
) -> None:
    """Write a program as an OpenVINO model with weights in float32; bfloat16 is a hint for those who run it.

    Args:
        program: of `export_program`.
        path: of the .xml file.
        outputs: their names; inputs have those in the program.
        quantise: makes the model in 8 bits of an `openvino.Model`; None = it stays as it is.

    Raises:
        MissingLibraryError: openvino is missing.
    """
    form = FORMATS["openvino"]
    with without_reports():
        openvino = load_optional("openvino", needed_for=f"format={form.name}", install=form.install)
        model = openvino.convert_model(program)
        for port, name in zip(
            (*model.inputs, *model.outputs), (*program.graph_signature.user_inputs, *outputs), strict=True
        ):
            port.get_tensor().set_names({name})
        openvino.save_model(model if quantise is None else quantise(model), path, compress_to_fp16=False)
