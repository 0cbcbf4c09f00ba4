"""The model card of a segmenter says what is known, and what is not."""

from stvit_video.models.checkpoints.metadata import segmenter_metadata
from stvit_video.models.segmenter_card import segmenter_card

RESULT = {
    "checkpoint": "best",
    "result": "mIoU 0.413  mAcc 0.5  aAcc 0.8  (short side 512, whole picture, 200 of 200 pictures)",
    "gmacs_segmenter": 3.21987,
    "gmacs_backbone": 0.854,
    "picture_size": [256, 320],
    "commit": "abc1234",
    "versions": {"torch": "2.15.0"},
    "hardware": "a processor, 1 threads",
    "date": "2026-11-21T00:00:00+00:00",
    "training": {"seconds": 12.3, "epochs": 4},
}


def metadata(**data):
    sizes = {"short_side": 240, "long_side": 320, "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2], "divisor": 32}
    return segmenter_metadata(
        description={
            "head": "semantic_fpn",
            "head_rule": "ours",
            "options": {"neck_channels": 64, "window": None},
            "backbone": {"name": "casvit_xs", "options": {"image_size": 224, "drop_path_rate": 0.1}},
        },
        classes=("wall", "floor", "x"),
        preprocessing=sizes,
        config={"seed": 7, "data": {"source": "ade", "root": "/home/somebody/rooms", **data}},
    )


def test_a_card_holds_recipe_numbers_and_limits():
    card = segmenter_card(metadata(reduce_zero_label=True), result=RESULT, checkpoint="best", num_parameters=1_234_567)
    for words in (
        "# semantic_fpn with casvit_xs\n",
        "A segmenter of 3 classes, ",
        "weights of best.ckpt",
        'segmenter = stvit_video.load("FOLDER")',
        "* source: ade\n",
        "* label 0 of the files: not counted\n",
        "short side 240, long side at most 320 pixels",
        "* sides in a test: multiples of 32 pixels\n",
        "* model: drop_path_rate=0.1\n",
        "* head: head_rule=ours, neck_channels=64\n",
        f"* result: {RESULT['result']}\n* parameters: 1.23 M\n",
        "* multiply-adds at 256x320 pixels: 3.220 G, of them 0.854 G of the backbone\n",
        "labels of a pixel can change from frame to frame",
    ):
        assert words in card, words
    assert "somebody" not in card
    assert "None" not in card


def test_a_card_without_numbers_says_so():
    card = segmenter_card(metadata(), result=None, checkpoint="last", num_parameters=10)
    assert "* accuracy: not measured" in card
    assert "multiply-adds" not in card
    assert "label 0" not in card
