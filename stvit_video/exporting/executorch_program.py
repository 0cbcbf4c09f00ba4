"""ExecuTorch programs, for phones and small devices: what XNNPACK can do is left to it."""

from pathlib import Path

from torch.export import ExportedProgram

from stvit_video.bundles.bundle_formats import FORMATS
from stvit_video.utils.optional import load_optional

PARTITIONER = "executorch.backends.xnnpack.partition.xnnpack_partitioner"
LARGEST_BATCH = 64  # memory is planned for it


def write_executorch(program: ExportedProgram, path: Path) -> None:
    """Write a program as a .pte file in float32.

    ExecuTorch's check of programs (1.5.1) is left out: where an operator gives several tensors, it fixes the batch at
    that of the example.

    Args:
        program: of `export_program`, after `patches_by_convolution`, with a `largest_batch`.
        path: of the file.

    Raises:
        MissingLibraryError: executorch is missing.
    """
    form = FORMATS["executorch"]
    exir, partitioner = (
        load_optional(name, needed_for=f"format={form.name}", install=form.install)
        for name in ("executorch.exir", PARTITIONER)
    )
    lowered = exir.to_edge_transform_and_lower(
        program,
        partitioner=[partitioner.XnnpackPartitioner()],
        compile_config=exir.EdgeCompileConfig(_check_ir_validity=False),
    )
    path.write_bytes(lowered.to_executorch().buffer)
