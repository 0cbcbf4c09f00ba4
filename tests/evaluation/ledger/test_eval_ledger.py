"""The ledger in memory: what goes in comes out by manifest position, and nothing is left out unnoticed."""

from dataclasses import replace

import pytest
import torch

from stvit_video.evaluation.ledger.eval_ledger import LedgerError, LedgerInfo, make_ledger, select_views, used_labels

VIDEO_IDS = tuple("abcdefg")
LABELS = (4, 0, 2, 2, 3, 0, 0)


def test_videos_are_in_the_manifests_order_with_the_logits_that_came(result, ledger):
    assert ledger.result.indices.tolist() == [0, 2, 3, 5, 6]
    assert ledger.result.labels.tolist() == [4, 2, 2, 0, 0]
    for n, index in enumerate([0, 2, 3, 5, 6]):
        came = result.indices.tolist().index(index)
        assert torch.equal(ledger.result.view_logits[n], result.view_logits[came])
        assert torch.equal(ledger.result.clip_starts_seconds[n], result.clip_starts_seconds[came])
    assert ledger.missing == (
        ("gone.mp4", 'gone.mp4: "moov" is missing,\nso it ends early'),
        ("é.mp4", "é.mp4: no such file"),
    )
    assert (ledger.result.num_used, ledger.result.num_listed) == (5, 7)


def test_several_labels_become_targets(several_ledger, info):
    targets = several_ledger.result.labels
    assert targets.dtype == torch.bool
    assert [row.nonzero()[:, 0].tolist() for row in targets] == [[1, 4], [], [0, 2, 3], [0], [0, 3]]
    assert used_labels([(3,), (1,), (4,)], torch.tensor([2, 0]), info).tolist() == [4, 3]


def test_views_are_chosen_by_clip_and_crop(ledger):
    chosen = select_views(ledger, clips=(2, 0), crops=(1,))
    for n in range(5):
        for v, clip in enumerate((2, 0)):
            assert torch.equal(chosen.view_logits[n, v], ledger.result.view_logits[n, clip * 2 + 1])
            assert chosen.clip_starts_seconds[n, v] == ledger.result.clip_starts_seconds[n, clip * 2]
    assert chosen.crops.tolist() == [[1, 1]] * 5
    assert chosen.errors == ledger.result.errors
    assert torch.equal(select_views(ledger).view_logits, ledger.result.view_logits)


@pytest.mark.parametrize(
    ("clips", "crops", "message"),
    [
        ((0, 3), None, "clip 3 .*stored.* clip 0, 1, 2"),
        (None, (-1,), "crop -1 .*stored.* crop 0, 1"),
        ((1, 1), None, "clips 1,1 .*averaged.* 0, 1, 2 at most once"),
        (None, (), "crops none .*averaged.* at least one"),
    ],
)
def test_views_that_are_not_there_are_refused(ledger, clips, crops, message):
    with pytest.raises(LedgerError, match=message):
        select_views(ledger, clips=clips, crops=crops)


def test_a_video_that_was_never_evaluated_is_an_error(result, info):
    share = replace(result, errors={1: "bad"})
    with pytest.raises(LedgerError, match="7 videos .*listed and 6 .*evaluated; e .*missing"):
        make_ledger(share, video_ids=VIDEO_IDS, labels=LABELS, info=info)
    more = replace(result, errors={**result.errors, 7: "bad"})
    message = (  # the whole sentence, once for its family
        "^7 videos are listed and 8 were evaluated; "
        r"bring the results of all processes together first \(evaluate_distributed\)$"
    )
    with pytest.raises(LedgerError, match=message):
        make_ledger(more, video_ids=VIDEO_IDS, labels=LABELS, info=info)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"video_ids": tuple("abcdeff")}, r"7 video ids \(6 distinct\) .*7 labels"),
        ({"labels": LABELS[:6]}, r"7 video ids \(7 distinct\) .*6 labels"),
        ({"labels": (*LABELS[:6], 5)}, r"g .*labels \[5\]; .*0\.\.4 once"),
        ({"labels": [(1,)] * 6 + [(1, 2)]}, "g has 2 labels; .*multi_label"),
    ],
)
def test_lists_that_do_not_fit_are_refused(result, info, changes, message):
    with pytest.raises(LedgerError, match=message):
        make_ledger(result, **({"video_ids": VIDEO_IDS, "labels": LABELS, "info": info} | changes))


def test_views_that_are_not_the_protocols_are_refused(result, info):
    protocol = {"num_clips": 2, "num_crops": 2, "average": "prob"}
    with pytest.raises(LedgerError, match=r"\(6, 5\), .*2 clips x 2 crops of 5 classes"):
        make_ledger(result, video_ids=VIDEO_IDS, labels=LABELS, info=replace(info, protocol=protocol))
    turned = replace(result, crops=result.crops.flip(1))
    with pytest.raises(LedgerError, match=r"order of clips, .*crops .*\[0, 1, 0, 1, 0, 1\]"):
        make_ledger(turned, video_ids=VIDEO_IDS, labels=LABELS, info=info)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"classes": ("a", "b", "a")}, r"2 or more .*classes.* \['a', 'b', 'a'\]"),
        ({"protocol": {"num_clips": 0, "num_crops": 1, "average": "prob"}}, "num_clips=0 .*at least 1"),
        ({"protocol": {"num_clips": 1, "average": "prob"}}, "num_crops=None .*at least 1"),
        ({"protocol": {"num_clips": 1, "num_crops": 1, "average": "sum"}}, "average='sum' .*prob"),
        ({"preprocessing": {}}, "preprocessing .*short_side"),
    ],
)
def test_info_that_says_too_little_is_refused(info: LedgerInfo, changes, message):
    with pytest.raises(LedgerError, match=message):
        replace(info, **changes)
