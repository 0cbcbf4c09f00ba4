"""The model card says what is known, and what is not."""

from stvit_video.models.checkpoints.metadata import checkpoint_metadata
from stvit_video.models.model_card import model_card

RESULT = {
    "checkpoint": "best",
    "result": "top-1 33.33 (3 of 3 videos, 2 clips x 3 crops)",
    "gmacs_per_view": 0.00123,
    "commit": "abc1234",
    "versions": {"torch": "2.15.0"},
    "hardware": "a processor, 1 threads",
    "date": "2026-11-21T00:00:00+00:00",
    "training": {"seconds": 12.3, "epochs": 4},
}


def metadata(*, multi_label=False, num_frames=8, **changes):
    config = {
        "seed": 7,
        "init_from": "/home/somebody/weights/deit.pth",
        "data": {"source": "csv", "train": "/home/somebody/train.csv", "batch_size": 6, "sampling": "dense"},
        "optim": {"lr": 0.5, "expected_batch": None},
        "trainer": {"max_epochs": 4, "accumulate_grad_batches": 3, "precision": "bf16-mixed"},
        "distill": {"teacher": "/home/somebody/big.ckpt", "weight": 0.3, "temperature": 2.0, "kind": "soft"},
    }
    config["data"] |= {"multi_scale": [12, 20], "multi_scale_batch": "fixed"}
    return checkpoint_metadata(
        model_name="stvit_video_deit_tiny",
        model_options={"depth": 5, "elastic": [4, 8], **changes},
        classes=("a", "b"),
        preprocessing={
            "num_frames": num_frames,
            "frame_stride": 3,
            "short_side": 20,
            "crop_size": 16,
            "mean": [0.5, 0.4, 0.3],
            "std": [0.2, 0.2, 0.2],
        },
        protocol={"num_clips": 2, "num_crops": 3, "average": "prob"},
        position_grid=None,
        config=config,
        multi_label=multi_label,
    )


def test_a_card_holds_recipe_numbers_and_limits():
    card = model_card(metadata(), result=RESULT, checkpoint="best", num_parameters=1_234_567)
    for words in (
        "# stvit_video_deit_tiny\n",
        "A classifier of videos into 2 classes",
        "weights of best.ckpt",
        'create_model("stvit_video_deit_tiny", pretrained="FOLDER")',
        "* source: csv\n",
        "8 frames, every 3. of the video, short side 20, crop 16 pixels",
        "* model: depth=5, elastic=[4, 8]\n",
        "* started from: deit.pth\n",
        "* clips of a batch in each process: 6\n* sizes of the clips in pixels: 12, 20, batch fixed\n",
        "* taught by: big.ckpt, weight 0.3, temperature 2.0, soft\n* precision: bf16-mixed\n* batches of a step: 3\n",
        "* optimizer: lr=0.5\n",
        "* seed: 7\n",
        f"* result: {RESULT['result']}\n* parameters: 1.23 M\n* multiply-adds a view: 0.001 G\n",
        "commit abc1234, torch 2.15.0, a processor, 1 threads, 2026-11-21",
        "names one of them for every input",
        "trained with [4, 8] semantic tokens",
    ):
        assert words in card, words
    assert "somebody" not in card
    assert "None" not in card


def test_a_card_without_numbers_says_so():
    card = model_card(metadata(multi_label=True, elastic=None), result=None, checkpoint="last", num_parameters=10)
    assert "* accuracy: not measured by the training; run stvit_video.evaluate" in card
    assert "gives each a probability by itself" in card
    assert "semantic tokens, drawn" not in card
    assert "labels: several of 2 a video" in card


def test_pictures_have_no_stride():
    card = model_card(metadata(num_frames=1), result=None, checkpoint="last", num_parameters=10)
    assert "A classifier of pictures" in card
    assert "* input: short side 20" in card
