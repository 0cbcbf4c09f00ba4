import pytest
import torch

from stvit_video.models.casvit.formats import FORMATS
from stvit_video.models.casvit.variants import casvit

PARTS = {
    "stem.conv1": "patch_embed.0",
    "stem.norm1": "patch_embed.1",
    "stem.conv2": "patch_embed.3",
    "stem.norm2": "patch_embed.4",
    "local.conv1": "local_perception.network.0",
    "local.norm": "local_perception.network.1",
    "local.depthwise": "local_perception.network.2",
    "local.conv2": "local_perception.network.4",
    "mixer.qkv": "attn.qkv",
    "mixer.depthwise": "attn.dwc",
    "mixer.proj": "attn.proj",
    "mixer.query_gates.spatial.depthwise": "attn.oper_q.0.block.0",
    "mixer.query_gates.spatial.norm": "attn.oper_q.0.block.1",
    "mixer.query_gates.spatial.proj": "attn.oper_q.0.block.3",
    "mixer.query_gates.channel.proj": "attn.oper_q.1.block.1",
    "mixer.key_gates.spatial.depthwise": "attn.oper_k.0.block.0",
    "mixer.key_gates.spatial.norm": "attn.oper_k.0.block.1",
    "mixer.key_gates.spatial.proj": "attn.oper_k.0.block.3",
    "mixer.key_gates.channel.proj": "attn.oper_k.1.block.1",
}


def their_name(key):
    """The authors' name of one of our weights."""
    module, leaf = key.rsplit(".", 1)
    words = module.split(".")
    if words[0] == "norms":
        return f"norm{2 * int(words[1])}.{leaf}"
    if words[0] != "levels":
        return f"{PARTS.get(module, module)}.{leaf}"
    level, rest = int(words[1]), ".".join(words[4:])
    if words[2] == "downsample":
        return f"network.{2 * level - 1}.{words[3]}.{leaf}"
    return f"network.{2 * level}.{words[3]}.{PARTS.get(rest, rest)}.{leaf}"


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
