"""Weights of timm's DeiT and of VideoMAE's authors, renamed to ours; transformers' have a file of their own."""

from collections.abc import Mapping

import torch
from torch import Tensor

from stvit_video.models.checkpoints.format import Format
from stvit_video.models.checkpoints.state_dict import CheckpointError

IMAGE_DEIT = "timm DeiT"
OTHER_PARTS = (".ls1.gamma", ".gamma_1", "norm_pre.weight", "attn_pool.latent")  # of DINOv2, BEiT, CLIP, SigLIP
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
    other = any(".layers." in key or key.endswith(OTHER_PARTS) for key in state)
    return needed <= set(state) and state["patch_embed.proj.weight"].ndim == 4 and not other


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
    check_mean_pooling(state, "head.weight")
    converted = {key: value for key, value in state.items() if not key.endswith((".q_bias", ".v_bias"))}
    for key, query in state.items():
        if key.endswith(".q_bias"):
            stem = key.removesuffix("q_bias")
            if (value := state.get(f"{stem}v_bias")) is not None:
                converted[f"{stem}qkv.bias"] = torch.cat([query, torch.zeros_like(query), value])
    return converted


def check_mean_pooling(state: Mapping[str, Tensor], head: str) -> None:
    """Refuse a head that looks at the first token alone, as VideoMAE's code does without its norm behind the mean.

    Args:
        state: tensors of a VideoMAE.
        head: the key of its head's weight.

    Raises:
        CheckpointError: it has a head and no norm behind the mean.
    """
    if head in state and "fc_norm.weight" not in state:
        raise CheckpointError(
            "this VideoMAE classifies its first token (it has a head and no fc_norm), our models the mean over all "
            "tokens; give a checkpoint that was fine-tuned with mean pooling, or one without a head"
        )


FORMATS = (
    Format("VideoMAE", _is_videomae, _convert_videomae, videomae_positions),
    Format(IMAGE_DEIT, _is_timm_deit, dict),
)
