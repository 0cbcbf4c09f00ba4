import pytest
import torch
from drawn_maps import tiny_segmenter
from drawn_objects import tiny_detector
from torch import nn

from stvit_video.dense.dense_model import RULE, named_rule
from stvit_video.dense.head_rules import HEAD_RULES
from stvit_video.dense.map_rules import MAP_RULES

BOTH = {"retinanet": tiny_detector, "semantic_fpn": tiny_segmenter}


def test_an_unknown_rule_names_those_of_its_kind():
    with pytest.raises(ValueError, match="head_rule='detectron' .*ours, mmdet, torchvision"):
        named_rule("detectron", HEAD_RULES)
    with pytest.raises(ValueError, match="head_rule='mmdet' .*ours, mmseg"):
        tiny_segmenter("upernet", head_rule="mmdet")
    with pytest.raises(ValueError, match="head_rule='mmseg' .*ours, mmdet, torchvision"):
        tiny_detector("retinanet", head_rule="mmseg")


@pytest.mark.parametrize("head", BOTH)
def test_the_state_dict_keeps_the_rule(head):
    rules = MAP_RULES if head == "semantic_fpn" else HEAD_RULES
    for number, rule in enumerate(rules):
        model = BOTH[head](head, head_rule=rule)
        assert int(model.state_dict()[RULE]) == number
        assert model.rule is rules[rule]


@pytest.mark.parametrize("head", BOTH)
@pytest.mark.parametrize("norm_eval", [False, True])
def test_norm_eval_is_for_the_backbone_alone(head, norm_eval):
    model = BOTH[head](head, norm_eval=norm_eval).train()
    norms = [module for module in model.backbone.modules() if isinstance(module, nn.BatchNorm2d)]
    assert norms
    assert all(module.training != norm_eval for module in norms)
    assert model.training
    others = [module for name, module in model.named_modules() if not name.startswith("backbone") and name]
    assert all(module.training for module in others)
    assert not any(module.training for module in model.eval().modules())


@pytest.mark.parametrize("head", BOTH)
def test_a_head_around_a_module_of_your_own_has_no_description(head):
    model = BOTH[head](head)
    assert model.describe()["head"] == head
    model.description = None
    with pytest.raises(ValueError, match="create_dense"):
        model.describe()


def test_forward_gives_the_outputs():
    model, picture = tiny_segmenter("semantic_fpn").eval(), torch.randn(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(model(picture, [(64, 64)])["logits"], model.outputs(picture, [(64, 64)])["logits"])
