import pytest

from stvit_video.dense.head_rules import HEAD_RULES, head_rule


def test_places_of_the_rules_stay_as_they_are_for_state_dicts_keep_them():
    assert list(HEAD_RULES) == ["ours", "mmdet", "torchvision"]


def test_ours_is_exact_and_ignores_padding():
    rule = head_rule("ours")
    assert not any((rule.rounded_anchors, rule.steps_of_picture, rule.padding_takes_part))
    assert rule.aligned_pooling
    assert rule.exact_masks


def test_an_unknown_rule():
    with pytest.raises(ValueError, match="head_rule='detectron' .*ours, mmdet, torchvision"):
        head_rule("detectron")
