import copy

import pytest
import torch
from short_models import KINDS, preprocessing_of, short_model, with_statistics
from torch import nn

from stvit_video.dense.map_layers import conv_norm
from stvit_video.exporting.fold_norms import fold_norms
from stvit_video.models.activation_checkpointing import BatchNorm
from stvit_video.models.registry import FAMILY_OF_NAME

CASVIT = [name for name in KINDS if FAMILY_OF_NAME[name].name == "casvit"]


def clips_of(name):
    sizes = preprocessing_of(name)
    frames = (sizes.num_frames,) if sizes.num_frames > 1 else ()
    return torch.randn(2, 3, *frames, sizes.crop_size, sizes.crop_size)


def norms_left(module):
    return [name for name, norm in module.named_modules() if isinstance(norm, BatchNorm)]


@pytest.mark.parametrize("name", [*CASVIT, "stvit_r_swin_tiny", "stvit_r_video_swin_tiny"])
def test_equal_logits_and_no_norm_but_the_last(name):
    model, x = short_model(name), clips_of(name)
    before = copy.deepcopy(model.state_dict())
    folded = fold_norms(model)
    assert norms_left(model)
    assert norms_left(folded) == (["norm"] if name in CASVIT else [])
    with torch.no_grad():
        torch.testing.assert_close(folded(x), model(x), atol=1e-5, rtol=1e-5)
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_a_sequence_of_layers():
    """Depthwise, padded, strided convolutions with and without bias; norms that follow none stay."""
    layers = with_statistics(
        nn.Sequential(
            *(nn.Conv2d(6, 6, 3, padding=2, stride=2, groups=3), nn.BatchNorm2d(6), nn.ReLU(), nn.BatchNorm2d(6)),
            *(nn.Conv2d(6, 5, (1, 3), bias=False), conv_norm(5, 7)),
        )
    )
    folded = fold_norms(layers)
    assert norms_left(folded) == ["3"]
    x = torch.randn(2, 6, 11, 13)
    with torch.no_grad():
        torch.testing.assert_close(folded(x), layers(x))
        torch.testing.assert_close(fold_norms(folded)(x), layers(x))
