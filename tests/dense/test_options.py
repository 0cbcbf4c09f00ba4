import pytest

from stvit_video.dense.options import DenseOptions, DetectorOptions, RegionOptions, build_options


def test_plain_values_build_the_same_again():
    options = RegionOptions(stage_ious=[0.5, 0.6], stage_weights=(1, 2), anchor_ratios=(1,))
    assert options.plain()["stage_ious"] == [0.5, 0.6]
    assert options.plain()["anchor_ratios"] == [1.0]
    assert RegionOptions(**options.plain()) == options


@pytest.mark.parametrize(
    ("kind", "given", "match"),
    [
        (DetectorOptions, {"neck_channels": 0}, "neck_channels=0 .*at least 1"),
        (DetectorOptions, {"detections": 2.5}, "detections=2.5"),
        (DetectorOptions, {"max_boxes": 0}, "max_boxes=0"),
        (DetectorOptions, {"score_threshold": 1.2}, "score_threshold=1.2 .*0 to 1"),
        (DetectorOptions, {"nms_threshold": -0.1}, "nms_threshold=-0.1 .*0 to 1"),
        (DetectorOptions, {"anchor_ratios": []}, "anchor_ratios=\\[\\]"),
        (DetectorOptions, {"anchor_ratios": (1, 0)}, "anchor_ratios=0 .*above 0"),
        (DetectorOptions, {"norm_eval": 1}, "norm_eval=1 .*True or False"),
        (RegionOptions, {"region_box_loss": "l2"}, "region_box_loss='l2' .*l1, smooth_l1, giou"),
        (RegionOptions, {"anchor_scale": 0}, "anchor_scale=0 .*above 0"),
        (RegionOptions, {"stage_ious": (0.5, 1.5), "stage_weights": (1, 1)}, "stage_ious=1.5 .*0 to 1"),
        (RegionOptions, {"stage_ious": (0.5, 0.6)}, "different lengths"),
        (RegionOptions, {"rpn_samples": "many"}, "rpn_samples='many'"),
        (DenseOptions, {"positive_iou": 0.3}, "negative_iou=0.4 .*positive_iou=0.3"),
        (DenseOptions, {"focal_gamma": -1}, "focal_gamma=-1"),
        (DenseOptions, {"box_loss": None}, "box_loss=None"),
    ],
)
def test_values_out_of_range(kind, given, match):
    with pytest.raises(ValueError, match=match):
        kind(**given)


def test_given_settings_count_before_defaults():
    options = build_options(DenseOptions, head="retinanet", defaults={"detections": 300}, given={"scales": 2})
    assert (options.detections, options.scales, options.candidates) == (300, 2, 1000)
    assert build_options(DenseOptions, head="retinanet", defaults={"scales": 1}, given={"scales": 2}).scales == 2


def test_a_setting_of_another_head():
    with pytest.raises(ValueError, match="retinanet has no option 'mask_channels'; it takes .*focal_alpha"):
        build_options(DenseOptions, head="retinanet", defaults={}, given={"mask_channels": 5})
