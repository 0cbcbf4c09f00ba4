"""Weights of HuggingFace transformers' ViT, DeiT and VideoMAE, renamed to ours."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from stvit_video.models.checkpoints.format import Format
from stvit_video.models.deit.formats import check_mean_pooling, videomae_positions

# of a layer: as the files name its parts, and as transformers does in memory since its version 5
QUERY = ("attention.attention.query", "attention.q_proj")
KEY = ("attention.attention.key", "attention.k_proj")
VALUE = ("attention.attention.value", "attention.v_proj")
LAYER_NAMES = {
    "attention.output.dense": "attn.proj",
    "attention.o_proj": "attn.proj",
    "intermediate.dense": "mlp.fc1",
    "mlp.fc1": "mlp.fc1",
    "output.dense": "mlp.fc2",
    "mlp.fc2": "mlp.fc2",
    "layernorm_before": "norm1",
    "layernorm_after": "norm2",
}
NAMES = {
    "embeddings.cls_token": "cls_token",
    "embeddings.distillation_token": "dist_token",
    "embeddings.position_embeddings": "pos_embed",
    "embeddings.patch_embeddings.projection.": "patch_embed.proj.",
    "layernorm.": "norm.",
    "classifier.": "head.",
    "cls_classifier.": "head.",
    "distillation_classifier.": "head_dist.",
}
IMAGE_VIT = "transformers ViT"
MODEL = re.compile(r"^(?:vit|deit|videomae)\.")
LAYER = re.compile(r"(?:encoder\.)?layers?\.(\d+)\.(.+)$")
NOT_OF_A_CLASSIFIER = ("pooler.", "decoder.", "encoder_to_decoder.", "mask_token", "embeddings.mask_token")
PATCHES = "embeddings.patch_embeddings.projection.weight"


def _bare(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors without the model's name in front, and with the names that biases have had since version 5."""
    return {
        MODEL.sub("", key).replace(".q_bias", ".query.bias").replace(".v_bias", ".value.bias"): value
        for key, value in state.items()
    }


def _part(key: str) -> str:
    """The part of a layer that a tensor belongs to; "" where it is outside of the layers."""
    match = LAYER.match(key)
    return "" if match is None else match[2].removesuffix(".weight").removesuffix(".bias")


def _num_axes(bare: Mapping[str, Tensor]) -> int:
    """Axes of the patches of a vision transformer with an attention of three projections; 0 = it is no such model."""
    return bare[PATCHES].ndim - 2 if PATCHES in bare and any(_part(key) in QUERY for key in bare) else 0


def _is_image_vit(state: Mapping[str, Tensor]) -> bool:
    """Plain blocks over patches of images: gains, biases of relative positions or a network in front make another."""
    bare = _bare(state)
    parts = {"", *QUERY, *KEY, *VALUE, *LAYER_NAMES}
    outside = (*NAMES, *NOT_OF_A_CLASSIFIER)
    is_plain = all(
        _part(key) in parts and (not key.startswith("embeddings.") or key.startswith(outside)) for key in bare
    )
    return _num_axes(bare) == 2 and is_plain and {"embeddings.cls_token", "embeddings.position_embeddings"} <= set(bare)


def _is_videomae(state: Mapping[str, Tensor]) -> bool:
    """Patches over time as well, and no class token (ViViT has one)."""
    bare = _bare(state)
    return _num_axes(bare) == 3 and "embeddings.cls_token" not in bare


def _convert(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Our names for all that a classifier has; unknown keys stay as they are."""
    bare = _bare(state)
    converted: dict[str, Tensor] = {}
    for key, value in bare.items():
        layer, part = LAYER.match(key), _part(key)
        if layer and part in LAYER_NAMES:
            converted[f"blocks.{layer[1]}.{LAYER_NAMES[part]}{layer[2].removeprefix(part)}"] = value
        elif layer and part in QUERY:
            theirs = key.removesuffix(layer[2])
            converted |= _joined_attention(bare, theirs, QUERY.index(part), f"blocks.{layer[1]}.attn.qkv")
        elif part not in KEY + VALUE and not key.startswith(NOT_OF_A_CLASSIFIER):
            converted[_our_name(key)] = value
    return converted


def _our_name(key: str) -> str:
    for theirs, ours in NAMES.items():
        if key.startswith(theirs):
            return ours + key.removeprefix(theirs)
    return key


def _joined_attention(bare: Mapping[str, Tensor], theirs: str, naming: int, ours: str) -> dict[str, Tensor]:
    """One projection out of three; keys have no bias in VideoMAE, which is a bias of zero."""
    names = [f"{theirs}{parts[naming]}" for parts in (QUERY, KEY, VALUE)]
    if not all(f"{name}.weight" in bare for name in names):
        return {}  # whoever checks the keys says that ours is missing
    weights = [bare[f"{name}.weight"] for name in names]
    query, key, value = (bare.get(f"{name}.bias") for name in names)
    joined = {f"{ours}.weight": torch.cat(weights)}
    if query is not None and value is not None:
        zero = torch.zeros(weights[1].shape[0], dtype=weights[1].dtype)
        joined[f"{ours}.bias"] = torch.cat([query, zero if key is None else key, value])
    return joined


def _convert_videomae(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    check_mean_pooling(state, "classifier.weight")
    return _convert(state)


FORMATS = (
    Format("transformers VideoMAE", _is_videomae, _convert_videomae, videomae_positions),
    Format(IMAGE_VIT, _is_image_vit, _convert),
)
