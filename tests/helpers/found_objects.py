"""Whether a detector finds the objects that it was trained on."""

import torch
from torchvision.ops import box_iou


def assert_found(detector, batch, *, masks=False):
    """Every true object is met by one of the best detections, with its label, a box and a mask of IoU above 1/2."""
    pictures, sizes, targets = batch
    for found, target in zip(detector.detect(pictures, sizes), targets, strict=True):
        best = slice(len(target["boxes"]))
        overlaps = box_iou(target["boxes"], found["boxes"][best])
        overlaps[target["labels"][:, None] != found["labels"][None, best]] = 0
        assert (overlaps.amax(1) > 0.5).all()
        assert len(set(overlaps.argmax(1).tolist())) == len(target["boxes"])
        if masks:
            ours, truth = found["masks"][best][overlaps.argmax(1)], target["masks"].bool()
            assert ((ours & truth).sum((1, 2)) / (ours | truth).sum((1, 2)) > 0.5).all()
        assert (found["scores"][best] > 0.3).all()
        assert torch.isfinite(found["boxes"]).all()
