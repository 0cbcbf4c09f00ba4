"""Detectors of torchvision with random weights, and ours around a copy of the same backbone."""

import copy

import torch
from drawn_objects import drawn_picture
from torch import nn

from stvit_video.dense.create_dense import HEADS, head_options
from stvit_video.dense.load_dense import load_dense
from stvit_video.dense.options import build_options

DRAWN = [
    ([(0, 8, 6, 60, 50), (1, 70, 20, 130, 90), (1, 5, 60, 40, 100)], (110, 150)),
    ([], (96, 120)),
    ([(0, 10, 10, 90, 80)], (128, 100)),
]
CHANNELS = (256, 512, 1024, 2048)  # of ResNet-50


def calm(reference, pictures):
    """Random weights whose features on these pictures are of size 1, and whose answers differ from place to place."""
    torch.manual_seed(3)
    batch = prepared(reference, pictures)[0]
    for module in reference.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 1.0  # the statistics of the next pass
    reference.train()
    with torch.no_grad():
        reference.backbone(batch)
        size = reference.eval().backbone(batch)["0"].std()
        for block in reference.backbone.fpn.layer_blocks:
            block[0].weight /= size
        for name, parameter in reference.named_parameters():
            if name.startswith(("rpn.head", "roi_heads.box_predictor", "head.")):
                gain = (0.2 if "bbox" in name else 1.0) / parameter[0].numel() ** 0.5
                parameter.copy_(torch.randn_like(parameter) * (gain if parameter.ndim > 1 else 0.2))
    for module in reference.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.momentum = 0.0
    return reference.eval()


def our_twin(reference, head, *, num_classes, **options):
    """Our detector by torchvision's rule with all weights of the reference."""
    body = copy.deepcopy(reference.backbone.body)
    body.register_forward_hook(lambda module, given, maps: four(maps))
    known = {**head_options(head, head_rule="torchvision"), **options}
    chosen = build_options(HEADS[head].options, head=head, defaults={}, given=known)
    ours = HEADS[head].build(body, channels=CHANNELS, num_classes=num_classes, options=chosen, rule="torchvision")
    report = load_dense(ours, reference.state_dict())
    assert not report.new
    assert set(report.loaded) == set(ours.state_dict())
    return ours.eval()


def four(maps):
    """Four maps, of which the first is made up where the backbone gives three."""
    found = list(maps.values())
    return found if len(found) == 4 else [found[0], *found]


def prepared(reference, pictures, targets=None):
    """Pictures in [0, 1] as torchvision's model prepares them: padded, their sizes, and targets."""
    images, targets = reference.transform(pictures, targets)
    return images.tensors, [tuple(size) for size in images.image_sizes], targets


def drawn_pictures():
    """Pictures in [0, 1] and their targets, labels from 0; the second one is empty."""
    drawn = [drawn_picture(objects, size) for objects, size in DRAWN]
    pictures = [(picture - picture.min()) / (picture.max() - picture.min()) for picture, _ in drawn]
    return pictures, [target for _, target in drawn]


@torch.no_grad()
def assert_same_detections(ours, reference, pictures, *, first_label):
    """Both find the same objects; torchvision's labels begin with `first_label`. Gives the pairs of answers."""
    wanted = [reference([picture])[0] for picture in pictures]  # ours finds in a batch what a picture gets alone
    batch, sizes, _ = prepared(reference, pictures)
    found = ours.detect(batch, sizes, [tuple(picture.shape[1:]) for picture in pictures])
    assert sum(len(part["boxes"]) for part in wanted) > 100
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one["boxes"], other["boxes"], rtol=1e-4, atol=1e-3)
        torch.testing.assert_close(one["scores"], other["scores"], rtol=1e-4, atol=1e-6)
        assert torch.equal(one["labels"], other["labels"] - first_label)
    return list(zip(found, wanted, strict=True))
