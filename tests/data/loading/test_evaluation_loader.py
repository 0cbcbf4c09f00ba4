"""The loader of an evaluation: each picture once, in sequences where that is wanted."""

import pytest
from sequence_maker import LENGTHS, read_frames, write_frames

from stvit_video.data.loading.evaluation_loader import evaluation_loader
from stvit_video.data.loading.picture_batch import collate_pictures
from stvit_video.data.loading.picture_dataset import EvaluationPictures
from stvit_video.data.transforms.picture_sizes import PictureSizes

SIZES = PictureSizes(short_side=32, long_side=48)


@pytest.fixture
def root(tmp_path):
    return write_frames(tmp_path)


def batches_of(root, *, batch_size=3, **settings):
    dataset = EvaluationPictures(read_frames(root), sizes=SIZES)
    settings = {"num_workers": 0} | settings
    return list(evaluation_loader(dataset, batch_size=batch_size, collate=collate_pictures, **settings))


def test_without_sequences_the_list_is_gone_through_in_its_order(root):
    batches = batches_of(root)
    assert [int(index) for batch in batches for index in batch["index"]] == list(range(16))
    shares = [batches_of(root, rank=rank, world_size=2) for rank in (0, 1)]
    assert sorted(batch["index"].tolist() for share in shares for batch in share) == [
        batch["index"].tolist() for batch in batches
    ]


@pytest.mark.parametrize("num_workers", [0, 2])
def test_frames_of_a_video_come_in_order_with_their_places(root, num_workers):
    batches = batches_of(root, in_sequences=True, num_workers=num_workers)
    frames = [pair for batch in batches for pair in zip(batch["sequences"], batch["frame_places"], strict=True)]
    expected = [(name, place) for name, length in LENGTHS.items() for place in range(length)]
    assert frames == [*expected, (15, 0)]
    boxes = [float(target["boxes"][0, 0]) for batch in batches for target in batch["targets"]]
    scale = 39 / 44  # 36 x 44 becomes 32 x 39
    assert boxes == pytest.approx([(place + 1) * scale for _, place in frames], abs=1e-4)


def test_a_broken_frame_keeps_its_place(root):
    (root / "walk" / "02.png").write_bytes(b"x")
    first, *_ = batches_of(root, in_sequences=True)
    assert first["sequences"] == ["walk"] * 3
    assert first["frame_places"] == [0, 1, 2]
    assert [bool(error) for error in first["errors"]] == [False, False, True]
