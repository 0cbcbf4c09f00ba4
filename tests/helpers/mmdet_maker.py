"""Files as mmdet writes them, made from our detectors: names by hand, from the table of its modules."""

import re

TRUNK = {"fc6": "shared_fcs.0", "fc7": "shared_fcs.1", "5": "shared_fcs.0"}
MASK = {"conv5_mask": "upsample", "mask_fcn_logits": "conv_logits"}
RPN = {"conv.0.0": "rpn_conv", "cls_logits": "rpn_cls", "bbox_pred": "rpn_reg"}
RETINA = {"cls_logits": "retina_cls", "bbox_reg": "retina_reg"}


def mmdet_state(detector, *, backbone_name):
    """The detector's weights with mmdet's names; `backbone_name` renames those of the backbone."""
    stages = len(getattr(detector, "stages", ()))
    state = {}
    for key, value in detector.state_dict().items():
        if key == "head_rule_number":
            continue
        if key.startswith("backbone."):
            key = f"backbone.{backbone_name(key.removeprefix('backbone.'))}"
        else:
            key = mmdet_name(key, stages)
        assert key not in state
        state[key] = value
    return state


def mmdet_name(key, stages):
    """mmdet's name of a weight of neck or head."""
    module, leaf = key.rsplit(".", 1)
    words = module.split(".")
    if words[0] == "neck":
        if words[1] in ("p6", "p7"):
            return f"neck.fpn_convs.{int(words[1][1]) - 3}.conv.{leaf}"
        kind = {"inner_blocks": "lateral_convs", "layer_blocks": "fpn_convs"}[words[2]]
        return f"neck.{kind}.{words[3]}.conv.{leaf}"
    if words[0] == "rpn":
        return f"rpn_head.{RPN['.'.join(words[2:])]}.{leaf}"
    if words[0] == "head":
        kind = {"classification_head": "cls", "regression_head": "reg"}[words[1]]
        rest = f"{kind}_convs.{words[3]}.conv" if words[2] == "conv" else RETINA[words[2]]
        return f"bbox_head.{rest}.{leaf}"
    return f"roi_head.{region_name(words, stages)}.{leaf}"


def region_name(words, stages):
    """mmdet's name of a module of a stage."""
    number, kind, part, *rest = words[1:]
    stage = f".{number}" if stages > 1 else ""
    if kind == "mask":
        name = f"convs.{rest[0]}.conv" if part == "convs" else MASK[rest[0]]
        return f"mask_head{stage}.{name}"
    if part != "trunk":
        return f"bbox_head{stage}.{ {'classes': 'fc_cls', 'boxes': 'fc_reg'}[part] }"
    if re.fullmatch("[0-3]", rest[0]):
        return f"bbox_head{stage}.shared_convs.{rest[0]}.{ {'0': 'conv', '1': 'bn'}[rest[1]] }"
    return f"bbox_head{stage}.{TRUNK[rest[0]]}"
