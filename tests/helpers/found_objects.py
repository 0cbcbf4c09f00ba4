"""Whether a detector finds the objects that it was trained on."""

from torchvision.ops import box_iou


def assert_found(detector, batch, *, masks=False):
    """Every true object is met by a detection of its label, box and mask (IoU above 1/2), and the best one is right.

    Looked at are twice as many detections as there are objects.
    """
    pictures, sizes, targets = batch
    for found, target in zip(detector.detect(pictures, sizes), targets, strict=True):
        best = slice(2 * len(target["boxes"]))
        overlaps = box_iou(target["boxes"], found["boxes"][best])
        overlaps[target["labels"][:, None] != found["labels"][None, best]] = 0
        assert (overlaps.amax(1) > 0.5).all()
        assert len(set(overlaps.argmax(1).tolist())) == len(target["boxes"])
        assert overlaps[:, 0].max() > 0.5
        if masks:
            ours, truth = found["masks"][best][overlaps.argmax(1)], target["masks"].bool()
            assert ((ours & truth).sum((1, 2)) / (ours | truth).sum((1, 2)) > 0.5).all()
