"""Averages of views on arrays, against those on tensors; protocols in words."""

import numpy as np
import pytest
import torch

from stvit_video.evaluation.multiview import aggregate_views
from stvit_video.evaluation.view_average import AVERAGES, describe_protocol, probabilities_of_views


@pytest.mark.parametrize("multi_label", [False, True])
@pytest.mark.parametrize("average", AVERAGES)
def test_probabilities_are_those_of_the_tensors(average, multi_label):
    logits = np.random.default_rng(3).normal(scale=20, size=(5, 7)).astype(np.float32)
    logits[1, 2], logits[3, 4] = 500, -500
    ours = probabilities_of_views(logits, average=average, multi_label=multi_label)
    theirs = aggregate_views(torch.from_numpy(logits)[None], average=average, multi_label=multi_label)[0]
    if average == "logit":
        theirs = theirs.sigmoid() if multi_label else theirs.softmax(-1)
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=1e-5, atol=1e-7)


def test_a_case_by_hand():
    logits = np.log(np.array([[1, 3], [3, 1]], dtype=np.float32))
    np.testing.assert_allclose(probabilities_of_views(logits[:1], average="prob", multi_label=False), [0.25, 0.75])
    np.testing.assert_allclose(probabilities_of_views(logits, average="logit", multi_label=False), [0.5, 0.5])
    by_label = probabilities_of_views(logits, average="prob", multi_label=True)
    np.testing.assert_allclose(by_label, [(1 / 2 + 3 / 4) / 2] * 2)


def test_what_can_not_be_averaged():
    with pytest.raises(ValueError, match="average='mean' .*prob, logit"):
        probabilities_of_views(np.zeros((2, 3)), average="mean", multi_label=False)
    with pytest.raises(ValueError, match=r"views >= 1.*\(0, 3\)"):
        probabilities_of_views(np.zeros((0, 3)), average="prob", multi_label=False)


def test_a_protocol_in_words():
    protocol = describe_protocol(num_clips=4, num_crops=3, average="prob", short_side=64)
    assert protocol == "4 clips x 3 crops, softmax averaged, short side 64"
    one = describe_protocol(num_clips=1, num_crops=1, average="logit", short_side=224)
    assert one == "1 clip x 1 crop, logits averaged, short side 224"
    several = describe_protocol(num_clips=1, num_crops=2, average="prob", short_side=7, multi_label=True)
    assert several == "1 clip x 2 crops, sigmoid averaged, short side 7"
