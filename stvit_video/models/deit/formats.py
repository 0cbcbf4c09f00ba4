"""Weights of timm's DeiT and of VideoMAE, the authors' and transformers', renamed to ours."""

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from stvit_video.models.checkpoints.format import Format
from stvit_video.models.checkpoints.state_dict import CheckpointError

TRANSFORMERS_NAMES = {
    "attention.output.dense": "attn.proj",
    "intermediate.dense": "mlp.fc1",
    "output.dense": "mlp.fc2",
    "layernorm_before": "norm1",
    "layernorm_after": "norm2",
}
IMAGE_DEIT = "timm DeiT"
PRETRAINING_PARTS = ("decoder.", "encoder_to_decoder.", "mask_token", "pos_embed")  # of masked autoencoding alone


def videomae_positions(num_tokens: int, dim: int) -> Tensor:
    """The fixed positions of VideoMAE: sines and cosines of a token's place in the flat order, in turn.

    Args:
        num_tokens: tokens N of the clip, time slowest.
        dim: channels C.

    Returns:
        (1, N, C).

    Source: Vaswani et al. 2017, section 3.5; Tong et al. 2022 (VideoMAE) store no table and use this one.
    """
    frequencies = 10_000.0 ** -(torch.arange(0, dim, 2, dtype=torch.float64) / dim)
    angles = torch.arange(num_tokens, dtype=torch.float64)[:, None] * frequencies  # (N, C / 2, rounded up)
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[None, :, :dim].float()


def _is_timm_deit(state: Mapping[str, Tensor]) -> bool:
    """Dense DeiT over images, which we name as timm does; DeiT's authors, too."""
    needed = {"cls_token", "pos_embed", "patch_embed.proj.weight", "blocks.0.attn.qkv.weight"}
    own = any(".layers." in key for key in state)
    return needed <= set(state) and state["patch_embed.proj.weight"].ndim == 4 and not own


def _is_videomae(state: Mapping[str, Tensor]) -> bool:
    """Told by the biases that queries and values have and keys have not, or by the norm behind the mean."""
    bare = {key.removeprefix("encoder.") for key in state}
    patches = state.get("patch_embed.proj.weight", state.get("encoder.patch_embed.proj.weight"))
    return patches is not None and patches.ndim == 5 and bool({"blocks.0.attn.q_bias", "fc_norm.weight"} & bare)


def _convert_videomae(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Fine-tuned weights, or of a pre-training the encoder, whose head and decoder are nobody's."""
    if any(key.startswith("encoder.") for key in state):
        state = {
            key.removeprefix("encoder."): value for key, value in state.items() if not key.startswith(PRETRAINING_PARTS)
        }
    _check_mean_pooling(state, "head.weight")
    converted = {key: value for key, value in state.items() if not key.endswith((".q_bias", ".v_bias"))}
    for key, query in state.items():
        if key.endswith(".q_bias"):
            stem = key.removesuffix("q_bias")
            if (value := state.get(f"{stem}v_bias")) is not None:
                converted[f"{stem}qkv.bias"] = torch.cat([query, torch.zeros_like(query), value])
    return converted


def _check_mean_pooling(state: Mapping[str, Tensor], head: str) -> None:
    """Raise where a head looks at the first token alone, as VideoMAE's code does without its norm behind the mean."""
    if head in state and "fc_norm.weight" not in state:
        raise CheckpointError(
            "this VideoMAE classifies its first token (it has a head and no fc_norm), our models the mean over all "
            "tokens; give a checkpoint that was fine-tuned with mean pooling, or one without a head"
        )


def _is_transformers_videomae(state: Mapping[str, Tensor]) -> bool:
    return any(key.endswith("embeddings.patch_embeddings.projection.weight") for key in state) and any(
        ".layer.0.attention.attention.query.weight" in key for key in state
    )


def _convert_transformers_videomae(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    _check_mean_pooling(state, "classifier.weight")
    converted: dict[str, Tensor] = {}
    for key, value in state.items():
        bare = key.removeprefix("videomae.")
        layer = re.fullmatch(r"encoder\.layer\.(\d+)\.(.+)\.(weight|bias)", bare)
        if bare.startswith("embeddings.patch_embeddings.projection."):
            converted[bare.replace("embeddings.patch_embeddings.projection", "patch_embed.proj")] = value
        elif layer and layer[2] in TRANSFORMERS_NAMES:
            converted[f"blocks.{layer[1]}.{TRANSFORMERS_NAMES[layer[2]]}.{layer[3]}"] = value
        elif ".attention.attention." not in bare and not key.startswith(PRETRAINING_PARTS):
            converted[bare.replace("classifier.", "head.").replace("layernorm.", "norm.")] = value
    blocks = {match[1] for key in state if (match := re.search(r"(encoder\.layer\.\d+)\.attention\.attention\.", key))}
    prefix = "videomae." if any(key.startswith("videomae.") for key in state) else ""
    for block in blocks:
        ours = block.replace("encoder.layer", "blocks")
        converted |= _joined_attention(state, f"{prefix}{block}.attention.attention.", f"{ours}.attn.qkv")
    return converted


def _joined_attention(state: Mapping[str, Tensor], theirs: str, ours: str) -> dict[str, Tensor]:
    """One projection out of three; keys have no bias in VideoMAE, which is a bias of zero."""
    names = [f"{theirs}{part}.weight" for part in ("query", "key", "value")]
    if not all(name in state for name in names):
        return {}  # whoever checks the keys says that ours is missing
    weights = [state[name] for name in names]
    joined = {f"{ours}.weight": torch.cat(weights)}
    zero = torch.zeros(weights[1].shape[0], dtype=weights[1].dtype)
    query = state.get(f"{theirs}query.bias", state.get(f"{theirs}q_bias"))
    value = state.get(f"{theirs}value.bias", state.get(f"{theirs}v_bias"))
    if query is not None and value is not None:
        joined[f"{ours}.bias"] = torch.cat([query, state.get(f"{theirs}key.bias", zero), value])
    return joined


FORMATS = (
    Format("transformers VideoMAE", _is_transformers_videomae, _convert_transformers_videomae, videomae_positions),
    Format("VideoMAE", _is_videomae, _convert_videomae, videomae_positions),
    Format(IMAGE_DEIT, _is_timm_deit, dict),
)
