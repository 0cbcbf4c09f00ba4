from stvit_video.models.dense_card_parts import head_row, of_any_size, picture_cost_rows, picture_data_rows

METADATA = {
    "head": "retinanet",
    "head_rule": "mmdet",
    "head_options": {"neck_channels": 64, "max_boxes": None},
    "model": {"name": "casvit_xs", "options": {"image_size": 224, "num_tokens": 7}},
    "classes": ["a", "b"],
    "preprocessing": {"short_side": 240, "long_side": 320, "mean": [0.5], "std": [0.2]},
    "config": {"data": {"source": "coco"}},
}


def test_the_model_loses_its_size_and_what_is_given_stays():
    assert of_any_size(METADATA)["model"] == {"name": "casvit_xs", "options": {"num_tokens": 7}}
    assert METADATA["model"]["options"]["image_size"] == 224


def test_rows_hold_what_the_checkpoint_says():
    assert picture_data_rows(METADATA) == {
        "source": "coco",
        "classes": "2, see labels.json for their order",
        "input": "short side 240, long side at most 320 pixels, RGB, mean [0.5], standard deviation [0.2]",
    }
    assert picture_data_rows({**METADATA, "config": {}})["source"] == "not stated"
    assert head_row(METADATA) == "head_rule=mmdet, neck_channels=64"


def test_the_cost_is_that_of_the_size_it_was_counted_at():
    result = {"picture_size": [64, 96], "gmacs_x": 2.5, "gmacs_backbone": 1.25}
    assert picture_cost_rows(result, whole="gmacs_x") == {
        "multiply-adds at 64x96 pixels": "2.500 G, of them 1.250 G of the backbone"
    }
    assert picture_cost_rows(None, whole="gmacs_x") == {}
