import pytest
import torch

from stvit_video.models import CheckpointError, create_model
from stvit_video.models.deit.pooling import adapt_norm

SMALL = {"embed_dim": 8, "num_heads": 2, "depth": 3, "image_size": 20, "patch_size": 5, "num_classes": 3}
NORM = {"norm.weight": torch.ones(8), "blocks.0.norm1.weight": torch.ones(8)}
MEAN_NORM = {"fc_norm.weight": torch.ones(8), "fc_norm.bias": torch.zeros(8)}


def adapted(state, *, format_name="timm DeiT", new_head=False, **options):
    return adapt_norm(create_model("deit_tiny", **SMALL, **options), dict(state), format_name, new_head)


def test_the_norm_behind_the_mean_gets_our_name():
    state = adapted(MEAN_NORM, format_name="VideoMAE", pool="mean", norm_after_pool=True)
    assert list(state) == ["norm.weight", "norm.bias"]
    assert adapted(NORM).keys() == NORM.keys()


@pytest.mark.parametrize(
    ("state", "options", "message"),
    [
        ({**NORM, **MEAN_NORM}, {}, "norm of the tokens .*no model of ours has both"),
        (MEAN_NORM, {}, "norms the mean .*norm_after_pool=True"),
        (NORM, {"pool": "mean"}, "class token, .*pool='cls'"),
        (NORM, {"norm_after_pool": True}, "class token, .*norm_after_pool=False"),
    ],
)
def test_heads_that_would_answer_otherwise(state, options, message):
    with pytest.raises(CheckpointError, match=message):
        adapted(state, **options)
    adapted(state, new_head=True, **options)


def test_our_own_weights_may_be_pooled_otherwise():
    assert adapted(NORM, format_name="stvit_video state dict", pool="mean").keys() == NORM.keys()
