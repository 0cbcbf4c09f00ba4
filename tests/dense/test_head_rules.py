from stvit_video.dense.head_rules import HEAD_RULES


def test_places_of_the_rules_stay_as_they_are_for_state_dicts_keep_them():
    assert list(HEAD_RULES) == ["ours", "mmdet", "torchvision"]


def test_ours_is_exact_and_ignores_padding():
    rule = HEAD_RULES["ours"]
    assert not any((rule.rounded_anchors, rule.steps_of_picture, rule.padding_takes_part))
    assert rule.aligned_pooling
    assert rule.exact_masks
