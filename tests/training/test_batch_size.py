"""The effective batch and the learning rate, against the numbers of published recipes."""

import re

import pytest

from stvit_video.training.batch_size import BatchSize, batch_warning, describe_start, learning_rate_scale

SWIN = BatchSize(per_process=8, num_processes=8)


@pytest.mark.parametrize(
    ("batch", "lr", "reference", "line"),
    [
        (
            SWIN,
            4e-3,
            256,
            "effective batch 64 = 8/GPU x 8 GPU x 1 accumulate x 1 repeat; lr 1.0e-3 (scaled from 256: 4.0e-3 x 64 / "
            "256, other learning rates along)",
        ),
        (SWIN, 1e-3, None, "effective batch 64 = 8/GPU x 8 GPU x 1 accumulate x 1 repeat; lr 1.0e-3 (as set)"),
        (
            BatchSize(per_process=3, num_processes=2, num_accumulated=5, num_repeats=2, unit="process"),
            1.25e-4,
            None,
            "effective batch 60 = 3/process x 2 processes x 5 accumulate x 2 repeats (30 videos); lr 1.25e-4 (as set)",
        ),
        (
            BatchSize(per_process=7, num_processes=1, unit="process"),
            0.5,
            None,
            "effective batch 7 = 7/process x 1 process x 1 accumulate x 1 repeat; lr 5.0e-1 (as set)",
        ),
    ],
)
def test_the_line_at_the_start(batch, lr, reference, line):
    assert describe_start(batch, lr=lr, reference_batch=reference) == line


def test_videomaes_rule_counts_no_repeats():
    """ANCHORS.md: 6 x 64 GPUs, each sample used twice: 5e-4 becomes 7.5e-4; 8 x 64: 1e-3 becomes 2e-3."""
    twice = BatchSize(per_process=6, num_processes=64, num_repeats=2)
    assert (twice.videos, twice.clips) == (384, 768)
    assert 5e-4 * learning_rate_scale(twice, reference_batch=256) == pytest.approx(7.5e-4)
    assert 1e-3 * learning_rate_scale(BatchSize(per_process=8, num_processes=64), reference_batch=256) == 2e-3
    assert learning_rate_scale(twice, reference_batch=None) == 1


@pytest.mark.parametrize(("batch", "expected"), [(SWIN, 64), (SWIN, None)])
def test_the_batch_of_the_recipe_is_no_news(batch, expected):
    assert batch_warning(batch, expected_batch=expected, reference_batch=256) == ""


@pytest.mark.parametrize(
    ("per_process", "reference", "warning"),
    [
        (
            8,
            256,  # the whole sentence, once for its family
            "^a step takes 16 videos, the recipe is for optim.expected_batch=64: trainer.accumulate_grad_batches=4 "
            "gives it; otherwise the learning rate is scaled to this batch, and results may differ$",
        ),
        (
            5,
            None,
            "10 videos, .*optim.expected_batch=64: no number .*5 x 2 .*data.batch_size.* stays that of the recipe",
        ),
    ],
)
def test_another_batch_than_the_recipes_names_the_way_out(per_process, reference, warning):
    batch = BatchSize(per_process=per_process, num_processes=2)
    assert re.search(warning, batch_warning(batch, expected_batch=64, reference_batch=reference))
