"""Mixup and cutmix against timm's Mixup with the same share and box, and by counting draws."""

from unittest import mock

import numpy as np
import pytest
import torch
from timm.data import mixup as timm_mixup

from stvit_video.data.transforms.mixup import Mix, Mixing, cutmix_box, dominant_labels, mix_clips, mix_targets
from stvit_video.utils.seeding import seeded_generator

LABELS = torch.tensor([4, 0, 2, 2])


def clips():
    return torch.randn(4, 3, 5, 7, 11, generator=seeded_generator(2))


@pytest.mark.parametrize("mix", [Mix(0.3), Mix(0.8), Mix(1 - 12 / 77, (1, 5, 2, 5))])
def test_clips_and_targets_equal_timms(mix):
    theirs = timm_mixup.Mixup(mixup_alpha=1.0, cutmix_alpha=1.0, label_smoothing=0.0, num_classes=5)
    box = mix.box or (0, 0, 0, 0)
    with (
        mock.patch.object(theirs, "_params_per_batch", return_value=(mix.share, mix.box is not None)),
        mock.patch.object(timm_mixup, "cutmix_bbox_and_lam", return_value=(box, mix.share)),
    ):
        images = clips().flatten(1, 2)  # (4, 15, 7, 11): frames are channels to it
        expected, targets = theirs(images, LABELS)
    given = clips()
    torch.testing.assert_close(mix_clips(given, mix), expected.unflatten(1, (3, 5)))
    torch.testing.assert_close(mix_targets(LABELS, mix, num_classes=5), targets)
    assert torch.equal(given, clips())


@pytest.mark.parametrize(("share", "row", "column"), [(0.2, 3, 5), (0.9, 0, 0), (0.5, 6, 10), (1.0, 2, 2), (0.0, 1, 9)])
def test_box_equals_timms(share, row, column):
    with mock.patch.object(np.random, "randint", side_effect=[row, column]):
        (top, bottom, left, right), _ = timm_mixup.cutmix_bbox_and_lam((3, 7, 11), share)
    ours = cutmix_box(7, 11, share=share, centre=(row, column))
    assert (ours[1] - ours[0]) * (ours[3] - ours[2]) == pytest.approx((bottom - top) * (right - left), abs=11)
    side = (1 - share) ** 0.5
    assert ours[0] == max(0, row - int(7 * side) // 2)
    assert ours[3] == min(11, column - int(11 * side) // 2 + int(11 * side))


def drawn(mixing: Mixing, count: int = 1200) -> list[Mix | None]:
    return [mixing.draw(37, 53, generator=seeded_generator(seed)) for seed in range(count)]


def test_draws_follow_probability_switch_and_beta():
    found = drawn(Mixing(mixup_alpha=0.8, cutmix_alpha=1.0, probability=0.75, cutmix_share=0.4))
    mixed = [mix for mix in found if mix is not None]
    assert len(mixed) == pytest.approx(900, abs=60)
    cut = [mix for mix in mixed if mix.box is not None]
    assert len(cut) == pytest.approx(360, abs=60)
    shares = np.array([mix.share for mix in mixed if mix.box is None])
    assert shares.mean() == pytest.approx(0.5, abs=0.04)
    assert shares.var() == pytest.approx(1 / (4 * (2 * 0.8 + 1)), abs=0.015)  # of Beta(a, a)
    for mix in cut:
        top, bottom, left, right = mix.box
        assert 0 <= top <= bottom <= 37
        assert 0 <= left <= right <= 53
        assert mix.share == pytest.approx(1 - (bottom - top) * (right - left) / (37 * 53))
    assert np.std([mix.box[0] + mix.box[1] for mix in cut]) > 10


def test_one_of_the_two_alone():
    assert all(mix.box is None for mix in drawn(Mixing(cutmix_alpha=0.0), 50))
    assert all(mix.box is not None for mix in drawn(Mixing(mixup_alpha=0.0, cutmix_share=0.0), 50))
    assert drawn(Mixing(probability=0.0), 50) == [None] * 50


def test_torchs_own_state_is_the_source_where_no_generator_is_given():
    found = []
    for seed in (1, 1, 2):
        torch.manual_seed(seed)
        found.append([Mixing().draw(37, 53) for _ in range(3)])
    assert found[0] == found[1] != found[2]


def test_a_shared_source_decides_only_whether_to_mix():
    mixing = Mixing(probability=0.5)
    own = [
        [mixing.draw(37, 53, generator=seeded_generator(rank), shared=seeded_generator(step)) for step in range(60)]
        for rank in (1, 2)
    ]
    mixed = [[mix is not None for mix in drawn] for drawn in own]
    assert mixed[0] == mixed[1] == [float(torch.rand((), generator=seeded_generator(step))) < 0.5 for step in range(60)]
    assert 15 < sum(mixed[0]) < 45
    assert all(one != other for one, other in zip(*own, strict=True) if one is not None)


def test_targets_sum_to_one_and_the_larger_share_dominates():
    for share, expected in ((0.7, LABELS), (0.5, LABELS), (0.3, LABELS.flip(0))):
        targets = mix_targets(LABELS, Mix(share), num_classes=5)
        torch.testing.assert_close(targets.sum(1), torch.ones(4))
        assert torch.equal(dominant_labels(LABELS, Mix(share)), expected)
        largest = targets.gather(1, expected[:, None]).squeeze(1)
        assert (largest >= targets.amax(1) - 1e-6).all()


def test_the_middle_clip_of_an_odd_batch_stays_itself():
    three = clips()[:3]
    for mix in (Mix(0.25), Mix(0.5, (0, 4, 0, 5))):
        torch.testing.assert_close(mix_clips(three, mix)[1], three[1])
        assert mix_targets(LABELS[:3], mix, num_classes=5)[1, 0] == 1


def test_several_labels_are_mixed_by_their_shares():
    labels = torch.tensor([[1.0, 0, 1], [0, 0, 0], [0, 1, 1]])
    expected = [[0.7, 0.3, 1.0], [0.0, 0.0, 0.0], [0.3, 0.7, 1.0]]
    torch.testing.assert_close(mix_targets(labels, Mix(0.7), num_classes=3), torch.tensor(expected))
    one_hot = torch.nn.functional.one_hot(LABELS, 5)
    for share in (0.3, 0.5):
        single = mix_targets(LABELS, Mix(share), num_classes=5)
        assert torch.equal(mix_targets(one_hot, Mix(share), num_classes=5), single)
    with pytest.raises(ValueError, match=r"\(3, 3\) .*no dominant .*\(B,\)"):
        dominant_labels(labels, Mix(0.7))
