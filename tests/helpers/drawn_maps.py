"""Pictures of coloured boxes and discs with the label of every pixel, in batches; tiny segmenters; slow references."""

import re

import torch
from casvit_names import their_name
from drawn_objects import TINY, batch_of, drawn_picture
from torch import nn

from stvit_video.dense.create_dense import create_dense

MAP_HEADS = ("semantic_fpn", "upernet")
LITTLE_HEADS = {
    "semantic_fpn": {"neck_channels": 10, "head_channels": 12},
    "upernet": {"head_channels": 12, "auxiliary_channels": 8},
}
NOT_COUNTED = 255


def drawn_map(objects, size):
    """A picture (3, h, w) and its labels (h, w): 0 = background, 1 = boxes, 2 = discs; the last row is not counted."""
    picture, target = drawn_picture(objects, size)
    labels = torch.zeros(size, dtype=torch.int64)
    for mask, label in zip(target["masks"], target["labels"], strict=True):
        labels[mask.bool()] = 1 + label
    labels[-1] = NOT_COUNTED
    return picture, labels


def three_maps():
    """A batch of three pictures of different sizes, their sizes and maps (3, 64, 96)."""
    drawn = [
        drawn_map([(0, 8, 6, 40, 30), (1, 50, 20, 82, 56)], (64, 96)),
        drawn_map([(1, 20, 14, 60, 50)], (60, 72)),
        drawn_map([(0, 4, 30, 30, 58), (1, 40, 8, 70, 50)], (56, 80)),
    ]
    pictures, sizes = batch_of([picture for picture, _ in drawn])
    maps = torch.full((len(drawn), *pictures.shape[-2:]), NOT_COUNTED)
    for row, (_, labels), (height, width) in zip(maps, drawn, sizes, strict=True):
        row[:height, :width] = labels
    return pictures, sizes, maps


def tiny_segmenter(head, *, num_classes=3, seed=0, **options):
    """A segmenter around a narrow CAS-ViT, with fresh weights of that seed."""
    torch.manual_seed(seed)
    backbone = options.pop("backbone", "casvit_xs")
    backbone_options = options.pop("backbone_options", TINY if backbone == "casvit_xs" else {})
    return create_dense(
        head,
        backbone=backbone,
        num_classes=num_classes,
        backbone_options=backbone_options,
        **{**LITTLE_HEADS[head], **options},
    )


def shaken(model, *, seed=0):
    """The model in eval mode, with norms, biases and classifiers that no part can hide behind."""
    generator = torch.Generator().manual_seed(seed)
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.5, generator=generator)
            module.running_var.uniform_(0.5, 2, generator=generator)
            module.weight.data.uniform_(0.5, 1.5, generator=generator)
            module.bias.data.normal_(0, 0.5, generator=generator)
        elif isinstance(module, nn.Conv2d) and module.bias is not None:
            module.bias.data.normal_(0, 0.1, generator=generator)
            module.weight.data.normal_(0, module.weight[0].numel() ** -0.5, generator=generator)
    return model.eval()


def enlarged(features, size):
    """A map (C, h, w) in another size, bilinearly, from the definition: centres of cells, no cells beyond the edge."""
    for axis, wanted in ((1, size[0]), (2, size[1])):
        there = features.shape[axis]
        lines = []
        for place in range(wanted):
            at = max(0.0, (place + 0.5) * there / wanted - 0.5)
            low = int(at)
            high, share = min(low + 1, there - 1), at - low
            lines.append((1 - share) * features.select(axis, low) + share * features.select(axis, high))
        features = torch.stack(lines, dim=axis)
    return features


def mean_of_windows(picture, run, *, window, stride):
    """As mmsegmentation's slide_inference: windows in rows and columns, moved inside the picture; pixel by pixel."""
    _, height, width = picture.shape
    answers = [[[] for _ in range(width)] for _ in range(height)]
    for row in range(max(height - window + stride - 1, 0) // stride + 1):
        for column in range(max(width - window + stride - 1, 0) // stride + 1):
            bottom, right = min(row * stride + window, height), min(column * stride + window, width)
            top, left = max(bottom - window, 0), max(right - window, 0)
            logits = run(picture[None, :, top:bottom, left:right])[0]
            for y in range(top, bottom):
                for x in range(left, right):
                    answers[y][x].append(logits[:, y - top, x - left])
    return torch.stack([torch.stack([torch.stack(cell).mean(0) for cell in line], -1) for line in answers], -2)


UPERNET = {
    r"map_head\.pooling\.convs\.(\d+)": r"decode_head.psp_modules.\1.1",
    r"map_head\.pooling\.fuse": "decode_head.bottleneck",
    r"map_head\.laterals\.(\d+)": r"decode_head.lateral_convs.\1",
    r"map_head\.outputs\.(\d+)": r"decode_head.fpn_convs.\1",
    r"map_head\.fuse": "decode_head.fpn_bottleneck",
    r"auxiliary_head\.conv": "auxiliary_head.convs.0",
}


def mmseg_name(key):
    """mmsegmentation's name of one of our weights, by hand from the table of its modules."""
    module, leaf = key.rsplit(".", 1)
    words = module.split(".")
    if words[0] == "backbone":
        return f"backbone.{their_name(key.removeprefix('backbone.'))}"
    if words[-2:] == ["classifier", "conv"]:
        return f"{'decode_head' if words[0] == 'map_head' else words[0]}.conv_seg.{leaf}"
    if words[1] == "neck":
        kind = {"inner_blocks": "lateral_convs", "layer_blocks": "fpn_convs"}[words[3]]
        return f"neck.{kind}.{words[4]}.conv.{leaf}"
    part = {"0": "conv", "1": "bn"}[words[-1]]
    if words[1] == "levels":
        return f"decode_head.scale_heads.{words[2]}.{2 * int(words[4])}.{part}.{leaf}"
    layer = ".".join(words[:-1])
    (theirs,) = [re.sub(ours, name, layer) for ours, name in UPERNET.items() if re.fullmatch(ours, layer)]
    return f"{theirs}.{part}.{leaf}"


def mmseg_state(segmenter):
    """The segmenter's weights as mmsegmentation names them."""
    return {mmseg_name(key): value for key, value in segmenter.state_dict().items() if key != "head_rule_number"}
