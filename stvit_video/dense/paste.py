"""Put the masks of regions into their places in the picture."""

from math import ceil, floor

import torch
from torch import Tensor
from torch.nn import functional as F
from torchvision.models.detection.roi_heads import paste_masks_in_image


def paste_masks(
    masks: Tensor, boxes: Tensor, *, size: tuple[int, int], threshold: float = 0.5, exact: bool = True
) -> Tensor:
    """Masks of the whole picture.

    Args:
        masks: (N, M, M) probabilities over the boxes.
        boxes: (N, 4) in pixels of the picture.
        size: height and width of the picture.
        threshold: least probability of a pixel of the object; above 0.
        exact: whether each pixel's centre is looked up in the mask, bilinearly, with zeros around it; else boxes are
            rounded to whole pixels and masks resized, as torchvision does it.

    Returns:
        (N, height, width) bool, True = object.
    """
    pasted = torch.zeros((len(masks), *size), dtype=torch.bool, device=masks.device)
    for canvas, mask, box in zip(pasted, masks.float(), boxes.float(), strict=True):
        if exact:
            _paste_exactly(canvas, mask, box, threshold)
        else:
            canvas.copy_(paste_masks_in_image(mask[None, None], box[None], size)[0, 0] > threshold)
    return pasted


def _paste_exactly(canvas: Tensor, mask: Tensor, box: Tensor, threshold: float) -> None:
    """Fill in the pixels of a box; further out than a cell of its mask there is none."""
    places, slices = [], []
    for start, stop, cells, pixels in (
        (*box[1::2].tolist(), mask.shape[0], canvas.shape[0]),
        (*box[0::2].tolist(), mask.shape[1], canvas.shape[1]),
    ):
        margin = (stop - start) / cells
        first = max(0, floor(start - margin))
        last = max(first, min(pixels, ceil(stop + margin)))
        centres = torch.arange(first, last, device=mask.device) + 0.5
        places.append((centres - start) / (stop - start) * 2 - 1)  # -1 and 1 at the edges of the box
        slices.append(slice(first, last))
    y, x = torch.meshgrid(*places, indexing="ij")
    if y.numel():
        found = F.grid_sample(mask[None, None], torch.stack([x, y], dim=-1)[None], align_corners=False)[0, 0]
        canvas[slices[0], slices[1]] = found >= threshold
