"""Batches of a stand-in data set through a function, in one process or shared by several."""

import pytest
import torch

from stvit_video.data.layouts.coco import find_coco
from stvit_video.data.loading.picture_dataset import EvaluationPictures
from stvit_video.data.transforms.picture_sizes import PictureSizes
from stvit_video.inference.picture_evaluation import evaluate_batches


@pytest.fixture(scope="module")
def dataset(shapes, tiny_detector):
    pictures = find_coco("val", known_classes=None, root=str(tiny_detector.root))()
    return EvaluationPictures(pictures, sizes=PictureSizes(short_side=32, long_side=48))


def seen(dataset, **settings):
    """Indices of every batch, and the type that products have in it."""
    batches = []

    def add(batch, _key_frames):
        product = torch.mm(torch.ones(2, 2), torch.ones(2, 2))
        assert not torch.is_grad_enabled()
        batches.append((batch["index"].tolist(), product.dtype))

    given = {"device": torch.device("cpu"), "batch_size": 2, "num_workers": 0, "precision": "32", **settings}
    evaluate_batches(dataset, add, **given)
    return batches


def test_every_picture_comes_once_in_order(dataset):
    assert seen(dataset) == [([0, 1], torch.float32), ([2, 3], torch.float32), ([4], torch.float32)]
    assert seen(dataset, batch_size=5, precision="bf16") == [([0, 1, 2, 3, 4], torch.bfloat16)]


def test_processes_share_the_pictures(dataset, monkeypatch):
    found = []
    for rank in (0, 1):
        monkeypatch.setattr("stvit_video.inference.picture_evaluation.rank_and_world_size", lambda rank=rank: (rank, 2))
        found += [index for batch, _ in seen(dataset) for index in batch]
    assert sorted(found) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"precision": "8"}, "precision='8' .*32, "), ({"batch_size": 0}, "batch_size=0"), ({"num_workers": -1}, "-1")],
)
def test_settings_out_of_range(dataset, settings, message):
    with pytest.raises(ValueError, match=message):
        seen(dataset, **settings)
