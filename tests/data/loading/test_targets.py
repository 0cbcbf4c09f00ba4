from pathlib import Path

import pytest
import torch

from stvit_video.data.loading.targets import multi_hot, target_of
from stvit_video.data.manifests.manifest import NO_SINGLE_LABEL, Manifest, VideoRecord

NAMES = ("a", "b", "c", "d", "e")


def test_one_label_is_a_number():
    record = VideoRecord(Path("x.mp4"), 3, "x.mp4")
    assert target_of(Manifest((record,), NAMES), record) == 3


@pytest.mark.parametrize("labels", [(), (2,), (0, 4), (0, 1, 2, 3, 4)])
def test_several_labels_are_ones_in_zeros(labels):
    record = VideoRecord(Path("x.mp4"), NO_SINGLE_LABEL, "x.mp4", labels=labels)
    target = target_of(Manifest((record,), NAMES, multi_label=True), record)
    assert target.dtype == torch.float32
    assert target.tolist() == [float(number in labels) for number in range(5)]


def test_labels_out_of_range_are_refused():
    for label in (-1, 5, NO_SINGLE_LABEL):
        with pytest.raises(ValueError, match=rf"labels=\[1, {label}\] .*0\.\.4\b"):
            multi_hot((1, label), num_classes=5)
