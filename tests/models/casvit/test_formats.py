import pytest
import torch
from casvit_names import their_name

from stvit_video.models.casvit.formats import FORMATS
from stvit_video.models.casvit.variants import casvit


def chosen(state):
    formats = [known for known in FORMATS if known.matches(state)]
    assert len(formats) == 1
    return formats[0]


@pytest.mark.parametrize(
    ("depths", "dims", "options", "name"),
    [
        ((1, 2, 3, 2), (4, 6, 8, 10), {}, "CAS-ViT"),
        ((1, 2, 11, 2), (4, 6, 8, 10), {"distillation": True}, "CAS-ViT"),
        ((1, 1, 2, 1, 2, 1, 2), (4, 5, 6, 7, 8, 9, 10), {}, "CAS-ViT"),
        ((2, 1, 3, 2), (4, 6, 8, 10), {"features_only": True}, "CAS-ViT, with a norm for every level"),
    ],
)
def test_any_size_there_and_back(depths, dims, options, name):
    state = casvit(video=False, num_classes=3, embed_dims=dims, depths=depths, **options).state_dict()
    theirs = {their_name(key): value for key, value in state.items()}
    assert len(theirs) == len(state)
    known = chosen(theirs)
    assert known.name == name
    ours = known.convert(theirs)
    assert list(ours) == list(state)
    assert all(ours[key] is state[key] for key in state)


def test_keys_that_are_not_theirs_stay():
    state = casvit(video=False, num_classes=3, embed_dims=(4, 6, 8), depths=(1, 1, 1)).state_dict()
    theirs = {their_name(key): value for key, value in state.items()}
    strange = [
        "patch_embed.2.weight",
        "network.0.0.attn.oper_q.0.block.2.weight",
        "network.0.0.local_perception.network.3.weight",
        "network.0.0.norm3.weight",
        "network.1.gain",
        "norm1.weight",
        "module.head.weight",
    ]
    converted = chosen(theirs).convert(theirs | dict.fromkeys(strange, torch.zeros(1)))
    assert set(converted) - set(state) == set(strange)


def test_weights_of_others_do_not_match():
    ours = casvit(video=False, num_classes=3, embed_dims=(4, 6, 8), depths=(1, 1, 1)).state_dict()
    for keys in (list(ours), [], ["norm0.weight"], ["patch_embed.0.weight", "network.0.0.attn.qkv.weight"]):
        state = dict.fromkeys(keys, torch.zeros(1))
        assert not any(known.matches(state) for known in FORMATS)
