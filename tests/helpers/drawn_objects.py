"""Pictures of coloured boxes and discs with their true boxes, labels and masks, in batches; tiny detectors."""

import torch

from stvit_video.dense.create_dense import create_dense

COLOURS = torch.tensor([[2.0, -1.0, -1.0], [-1.0, 1.5, 2.0]])  # of label 0, boxes, and label 1, discs
TINY = {"embed_dims": (12, 16, 20, 24), "depths": (1, 1, 2, 1)}
LITTLE = {"neck_channels": 16, "head_channels": 32, "mask_channels": 16, "region_samples": 64, "rpn_samples": 64}
LITTLE |= {"train_candidates": 100, "train_proposals": 100, "test_candidates": 100, "test_proposals": 50}
REGION_HEADS = ("faster_rcnn", "mask_rcnn", "cascade_mask_rcnn")
ALL_HEADS = (*REGION_HEADS, "retinanet")


def drawn_picture(objects, size):
    """A picture (3, h, w) and its target; `objects` are (label, x1, y1, x2, y2) in whole pixels."""
    height, width = size
    y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
    picture, masks = 0.1 * torch.sin(x / 3) * torch.ones(3, 1, 1), []
    for label, x1, y1, x2, y2 in objects:
        mask = (x > x1) & (x < x2) & (y > y1) & (y < y2)
        if label:
            mask &= ((2 * x - x1 - x2) / (x2 - x1)) ** 2 + ((2 * y - y1 - y2) / (y2 - y1)) ** 2 <= 1
        picture = torch.where(mask, COLOURS[label][:, None, None], picture)
        masks.append(mask.to(torch.uint8))
    rows = torch.tensor(objects, dtype=torch.float32).reshape(-1, 5)
    target = {"boxes": rows[:, 1:], "labels": rows[:, 0].long()}
    target["masks"] = torch.stack(masks) if masks else torch.zeros((0, *size), dtype=torch.uint8)
    return picture, target


def batch_of(pictures):
    """Pictures (3, h, w) padded to one multiple of 32, and their sizes."""
    sizes = [tuple(picture.shape[1:]) for picture in pictures]
    height, width = (-(-max(sides) // 32) * 32 for sides in zip(*sizes, strict=True))
    padded = torch.zeros(len(pictures), 3, height, width)
    for row, picture, (h, w) in zip(padded, pictures, sizes, strict=True):
        row[:, :h, :w] = picture
    return padded, sizes


def four_pictures():
    """A batch of four pictures of different sizes with 2, 1, 3 and 2 objects."""
    drawn = [
        drawn_picture([(0, 8, 6, 40, 30), (1, 50, 20, 82, 56)], (64, 96)),
        drawn_picture([(1, 20, 14, 60, 50)], (60, 72)),
        drawn_picture([(0, 4, 30, 30, 58), (0, 60, 4, 92, 36), (1, 40, 38, 58, 60)], (64, 96)),
        drawn_picture([(1, 6, 4, 34, 40), (0, 44, 10, 70, 54)], (56, 80)),
    ]
    return *batch_of([picture for picture, _ in drawn]), [target for _, target in drawn]


def tiny_detector(head, *, num_classes=2, seed=0, **options):
    """A detector around a narrow CAS-ViT, with fresh weights of that seed."""
    torch.manual_seed(seed)
    options = {**{name: value for name, value in LITTLE.items() if head != "retinanet" or "neck" in name}, **options}
    backbone = options.pop("backbone", "casvit_xs")
    backbone_options = options.pop("backbone_options", TINY if backbone == "casvit_xs" else {})
    return create_dense(head, backbone=backbone, num_classes=num_classes, backbone_options=backbone_options, **options)


def fit(detector, batch, *, steps, rate=2e-3):
    """Train on one batch; the sum of the losses before and after."""
    optimizer, sums = torch.optim.AdamW(detector.parameters(), lr=rate), []
    detector.train()
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate * min(1.0, (step + 1) / 10) * (0.1 if step > 0.8 * steps else 1.0)
        loss = sum(detector.losses(*batch).values())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        sums.append(float(loss.detach()))
    detector.eval()
    return sums[0], sums[-1]
