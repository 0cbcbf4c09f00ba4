"""The rows of `preset=deployed`: models exported to other runtimes, beside themselves in eager PyTorch."""

from dataclasses import replace

from stvit_video.model_benchmark.model_row import ModelRow
from stvit_video.model_benchmark.own_rows import own_rows
from stvit_video.model_benchmark.peer_rows import peer_rows
from stvit_video.model_benchmark.row_ways import EAGER, RowWay, ways_of

DEPLOYED = "deployed"
PRESETS = (DEPLOYED,)
CLIPS, PLACES = "stvit_video_deit_small", (4, 2, 1)  # the default place of generation, and earlier ones
IMAGES = "stvit_casvit_xs"  # the CAS-ViT papers measure ONNX
PEER = "swin3d_t"
NOT_FOLDED = "norms not folded"


def deployed_ways(*, num_frames: int, image_size: tuple[int, int]) -> list[RowWay]:
    """DeiT for clips by ONNX Runtime and OpenVINO, with a peer; CAS-ViT by ONNX Runtime, with batch norms and without.

    Args:
        num_frames: frames T of a clip.
        image_size: (H, W) pixels.
    """
    clips = own_rows([CLIPS], num_frames=num_frames, image_size=image_size, places=PLACES)
    images = own_rows([IMAGES], num_frames=num_frames, image_size=image_size)
    peers = peer_rows([PEER], clips, num_frames=num_frames, image_size=image_size)
    return [
        *ways_of([*clips, *peers, *images], precisions=["fp32"], backends=[EAGER]),
        *ways_of([*clips, *images, *map(not_folded, images)], precisions=["fp32"], backends=["onnx"]),
        *ways_of(clips, precisions=["fp32", "bf16", "int8"], backends=["openvino"]),
    ]


def not_folded(row: ModelRow) -> ModelRow:
    """The row of a model whose batch norms stay in its graph, as they do in that of its dense model."""
    return replace(row, label=f"{row.label}, {NOT_FOLDED}", baseline=f"{row.baseline}, {NOT_FOLDED}", keeps_norms=True)
