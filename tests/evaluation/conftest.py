"""A small ledger that several tests share: 7 videos, 2 of them missing, 3 clips x 2 crops, 5 classes."""

import pytest
import torch

from stvit_video.evaluation.ledger.eval_ledger import Ledger, LedgerInfo, make_ledger
from stvit_video.evaluation.multiview import MultiViewResult

VIDEO_IDS = ("my videos/a, b.mp4", "gone.mp4", "c.mp4#t=1,2.5", "d.mp4", "é.mp4", "f.mp4", "g.mp4")
LABELS = (4, 0, 2, 2, 3, 0, 0)
USED = (6, 0, 2, 5, 3)  # in the order in which they came
ERRORS = {4: "é.mp4: no such file", 1: 'gone.mp4: "moov" is missing,\nso it ends early'}


def make_info(**changes) -> LedgerInfo:
    values = {
        "classes": ("jump, high", "run", 'say "hi"', "sit", "walk"),
        "model": "stvit_video_deit_tiny",
        "protocol": {"num_clips": 3, "num_crops": 2, "average": "prob"},
        "preprocessing": {"short_side": 64, "mean": [0.5, 0.25, 0.125]},
        "commit": "abc123",
        "versions": {"torch": "2.15.0"},
    }
    return LedgerInfo(**(values | changes))


def make_result(*, several: bool = False) -> MultiViewResult:
    generator = torch.Generator().manual_seed(3)
    labels = torch.tensor([LABELS[index] for index in USED])
    return MultiViewResult(
        view_logits=3 * torch.randn(5, 6, 5, generator=generator),
        labels=torch.zeros(5, 5, dtype=torch.int64) if several else labels,
        indices=torch.tensor(USED),
        clip_starts_seconds=torch.rand(5, 3, generator=generator, dtype=torch.float64).repeat_interleave(2, dim=1),
        crops=torch.tensor([0, 1]).repeat(3).expand(5, 6),
        errors=dict(ERRORS),
    )


@pytest.fixture
def info() -> LedgerInfo:
    return make_info()


@pytest.fixture
def result() -> MultiViewResult:
    return make_result()


@pytest.fixture
def ledger() -> Ledger:
    return make_ledger(make_result(), video_ids=VIDEO_IDS, labels=LABELS, info=make_info())


@pytest.fixture
def several_ledger() -> Ledger:
    """Videos with none, one or several labels."""
    labels = ((4, 1), (0,), (), (2, 3, 0), (1,), (0,), (3, 0))
    info = make_info(multi_label=True)
    return make_ledger(make_result(several=True), video_ids=VIDEO_IDS, labels=labels, info=info)
