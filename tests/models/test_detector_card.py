"""The model card of a detector says what is known, and what is not."""

from stvit_video.models.checkpoints.metadata import detector_metadata
from stvit_video.models.detector_card import detector_card

RESULT = {
    "checkpoint": "best",
    "result": "AP 0.525 (320x240, 72 of 72 pictures)",
    "gmacs_detector": 3.21987,
    "gmacs_backbone": 0.854,
    "picture_size": [256, 320],
    "commit": "abc1234",
    "versions": {"torch": "2.15.0"},
    "hardware": "a processor, 1 threads",
    "date": "2026-11-21T00:00:00+00:00",
    "training": {"seconds": 12.3, "epochs": 4},
}


def metadata(task="detection"):
    return detector_metadata(
        task=task,
        description={
            "head": "mask_rcnn",
            "head_rule": "ours",
            "options": {"neck_channels": 64, "max_boxes": None},
            "backbone": {"name": "casvit_xs", "options": {"image_size": 224, "drop_path_rate": 0.1}},
        },
        classes=("cell", "platelet", "x"),
        category_ids=(1, 2, 7),
        preprocessing={"short_side": 240, "long_side": 320, "mean": [0.5, 0.4, 0.3], "std": [0.2, 0.2, 0.2]},
        config={"seed": 7, "data": {"source": "coco", "root": "/home/somebody/cells"}, "trainer": {"max_epochs": 4}},
    )


def test_a_card_holds_recipe_numbers_and_limits():
    card = detector_card(metadata(), result=RESULT, checkpoint="best", num_parameters=1_234_567)
    for words in (
        "# mask_rcnn with casvit_xs\n",
        "A detector of 3 classes of objects in pictures and videos, which finds boxes, trained",
        "weights of best.ckpt",
        'stvit_video.load("FOLDER")',
        "* source: coco\n",
        "short side 240, long side at most 320 pixels",
        "* model: drop_path_rate=0.1\n",
        "* head: head_rule=ours, neck_channels=64\n",
        f"* result: {RESULT['result']}\n* parameters: 1.23 M\n",
        "* multiply-adds at 256x320 pixels: 3.220 G, of them 0.854 G of the backbone\n",
        "commit abc1234, torch 2.15.0",
    ):
        assert words in card, words
    assert "somebody" not in card
    assert "None" not in card


def test_masks_are_told_and_a_card_without_numbers_says_so():
    card = detector_card(metadata("instance"), result=None, checkpoint="last", num_parameters=10)
    assert "which finds boxes and masks, trained" in card
    assert "* accuracy: not measured" in card
    assert "multiply-adds" not in card
