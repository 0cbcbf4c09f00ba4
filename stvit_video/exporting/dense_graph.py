"""A detector or segmenter as graphs: from bytes of pictures to what its heads answer, before anything is chosen."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from stvit_video.data.transforms.functional import normalise
from stvit_video.data.transforms.preprocessing import IMAGENET_MEAN, IMAGENET_STD
from stvit_video.dense.box_heads import REGION_CELLS
from stvit_video.dense.dense_model import DenseModel
from stvit_video.dense.mask_head import MASK_CELLS
from stvit_video.dense.mask_rcnn import RegionDetector


class DenseGraph(nn.Module):
    """A detector or segmenter behind the normalisation that it was trained with, for pictures of one size.

    Proposals, non-maximum suppression and the choice of labels are not in the graph.

    Args:
        model: made by `create_dense`.
        size: height and width of the pictures in pixels.
        mean: per channel (red, green, blue), for values in 0..1.
        std: likewise.
    """

    def __init__(
        self,
        model: DenseModel,
        size: Sequence[int],
        *,
        mean: tuple[float, ...] = IMAGENET_MEAN,
        std: tuple[float, ...] = IMAGENET_STD,
    ) -> None:
        super().__init__()
        self.model, self.size, self.mean, self.std = model, tuple(size), mean, std

    def forward(self, pictures: Tensor) -> tuple[Tensor, ...]:
        """Pictures (B, H, W, 3) uint8 RGB -> the tensors of `DenseModel.picture_outputs`, (B, ...) float32 each."""
        channels_first = pictures.permute(0, 3, 1, 2)[:, :, None]  # (B, 3, 1, H, W)
        normalised = normalise(channels_first, mean=self.mean, std=self.std)[:, :, 0]  # (B, 3, H, W)
        return tuple(value.float() for value in self.model.picture_outputs(normalised).values())

    @torch.no_grad()
    def output_names(self) -> tuple[str, ...]:
        """The names of what `forward` gives, in order."""
        was_training = self.model.training
        found = self.model.eval().picture_outputs(torch.zeros(1, 3, *self.size))
        self.model.train(was_training)
        return tuple(found)


@dataclass(frozen=True)
class GraphPart:
    """One of the graphs of a model, as `write_graph` takes it.

    Attributes:
        module: what is traced.
        example: its input, a batch of 2.
        outputs: names of what it gives.
    """

    module: nn.Module
    example: Tensor
    outputs: tuple[str, ...]


def dense_graphs(
    model: DenseModel,
    size: Sequence[int],
    *,
    mean: tuple[float, ...] = IMAGENET_MEAN,
    std: tuple[float, ...] = IMAGENET_STD,
) -> dict[str, GraphPart]:
    """The graphs of a detector or segmenter, by name.

    Args:
        model, size, mean, std: as of `DenseGraph`.

    Returns:
        "pictures", which is all of a RetinaNet or a segmenter. Detectors with proposals have two more for every stage,
        counted from 1: "boxes_1" takes pooled regions (R, C, 7, 7) and gives "classes" (R, num_classes + 1) and
        "boxes" (R, num_classes, 4), "masks_1" takes (R, C, 14, 14) and gives "masks" (R, num_classes, 28, 28).
    """
    whole = DenseGraph(model, size, mean=mean, std=std)
    example = torch.randint(256, (2, *size, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    graphs = {"pictures": GraphPart(whole, example, whole.output_names())}
    if not isinstance(model, RegionDetector):
        return graphs
    stages: Any = model.stages
    for number, stage in enumerate(stages, start=1):
        heads: list[tuple[str, Any, int, tuple[str, ...]]] = [("boxes", stage.box, REGION_CELLS, ("classes", "boxes"))]
        if stage.mask is not None:
            heads.append(("masks", stage.mask, MASK_CELLS, ("masks",)))
        for name, head, cells, outputs in heads:
            pooled = torch.zeros(2, model.options.neck_channels, cells, cells)
            graphs[f"{name}_{number}"] = GraphPart(head, pooled, outputs)
    return graphs
