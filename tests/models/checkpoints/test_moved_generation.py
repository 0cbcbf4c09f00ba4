"""Renumbering by itself; that the models then answer alike is shown in tests/models/test_elastic_place.py."""

import pytest
import torch

from stvit_video.models import create_model, load_checkpoint
from stvit_video.models.checkpoints.fit import Fit
from stvit_video.models.checkpoints.moved_generation import move_generation
from stvit_video.models.checkpoints.state_dict import CheckpointError

DEIT = {"image_size": 16, "patch_size": 4, "embed_dim": 8, "num_heads": 2, "depth": 7, "num_classes": 3}
SWIN = {"image_size": 64, "embed_dim": 6, "num_heads": (1, 1, 2, 2), "depths": (1, 1, 6, 1), "num_classes": 3}


def moved(then, now):
    fit = Fit(dict(then.state_dict()))
    move_generation(fit, now)
    return fit


@pytest.mark.parametrize("reducer", ["semantic", "pool", "tome", "token_learner"])
def test_blocks_keep_their_order_around_the_reducer(reducer):
    then, now = (create_model("stvit_deit_tiny", **DEIT, reducer=reducer, generate_at=place) for place in (1, 3))
    fit = moved(then, now)
    assert set(fit.state) == set(now.state_dict())
    ordinary = [index for index in range(len(then.blocks)) if index != 1]
    targets = [index for index in range(len(now.blocks)) if index != 3]
    for source, target in zip(ordinary, targets, strict=True):
        key = "mlp.fc1.weight"
        assert torch.equal(fit.state[f"blocks.{target}.{key}"], then.state_dict()[f"blocks.{source}.{key}"])
    assert not fit.new
    assert not fit.unused


def test_weights_of_the_same_place_and_of_a_dense_model_stay_as_they_are():
    now = create_model("stvit_deit_tiny", **DEIT, generate_at=3)
    for other in (create_model("stvit_deit_tiny", **DEIT, generate_at=3), create_model("deit_tiny", **DEIT)):
        assert moved(other, now).state.keys() == other.state_dict().keys()


def test_a_block_between_windows_and_tokens_leaves_or_gets_a_table_of_zeros():
    deep, early = (create_model("stvit_swin_tiny", **SWIN, generate_at=place) for place in (3, 1))
    tables = [f"levels.2.blocks.{index}.attn.bias_table" for index in (1, 2)]
    report = load_checkpoint(early, deep.state_dict())
    assert set(report.unused) == set(tables)
    report = load_checkpoint(deep, early.state_dict())
    assert set(report.new) == set(tables)
    assert all(deep.state_dict()[table].abs().max() == 0 for table in tables)


def test_a_checkpoint_of_another_depth_is_refused():
    now = create_model("stvit_deit_tiny", **DEIT, generate_at=3)
    other = create_model("stvit_deit_tiny", **{**DEIT, "depth": 8}, generate_at=2)
    with pytest.raises(CheckpointError, match="blocks"):
        load_checkpoint(now, other.state_dict())
