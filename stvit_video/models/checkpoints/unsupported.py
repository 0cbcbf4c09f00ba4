"""Weights of networks that no model here is like, told by their keys, so that an error names them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from torch import Tensor

from stvit_video.models.checkpoints.state_dict import CheckpointError

__all__ = ["check_supported"]

PLAIN = "a plain ViT, such as timm's deit_small_patch16_224 or transformers' ViTForImageClassification"
SWIN = "timm's swin_small_patch4_window7_224"
TRANSFORMERS_PATCHES = r"embeddings\.patch_embeddings\.projection\.weight$"


@dataclass(frozen=True)
class Unsupported:
    """A network of others.

    Args:
        name: what people call it.
        reason: what it has and ours have not.
        patterns: regular expressions, each found in a key of its weights.
        instead: whose weights can be given.
        of_clips: whether its patches are over time as well.
    """

    name: str
    reason: str
    patterns: tuple[str, ...]
    instead: str = PLAIN
    of_clips: bool = False


NETWORKS = (
    Unsupported("TimeSformer", "which attends over time in layers of its own", (r"temporal_(attention|attn)\.",)),
    Unsupported(
        "transformers ViViT",
        "which has a class token among the tokens of all frames",
        (r"embeddings\.cls_token$", TRANSFORMERS_PATCHES),
        "VideoMAE",
        of_clips=True,
    ),
    Unsupported("DINOv2 or DINOv3", "whose blocks have gains", (r"layer_scale1\.lambda1$|^blocks\.0\.ls1\.gamma$",)),
    Unsupported(
        "BEiT or Data2Vec", "whose blocks have gains or biases of relative positions", (r"\.(lambda_1|gamma_1)$",)
    ),
    Unsupported(
        "CLIP's image tower",
        "which norms its tokens before the first block",
        (r"(^|\.)(pre_layrnorm|ln_pre|norm_pre)\.weight$",),
    ),
    Unsupported(
        "SigLIP's image tower",
        "which pools by attention",
        (r"(^|\.)embeddings\.patch_embedding\.weight$|^attn_pool\.latent$",),
    ),
    Unsupported(
        "transformers ViT hybrid", "which has a ResNet in front", (r"embeddings\.patch_embeddings\.backbone\.",)
    ),
    Unsupported("Swin V2", "whose attention compares directions", (r"\.logit_scale$",), f"Swin V1, such as {SWIN}"),
    Unsupported(
        "transformers Swin",
        "whose names of weights are not read here",
        (TRANSFORMERS_PATCHES, r"encoder\.layers\.0\.blocks\.0\.attention\."),
        f"the same Swin by timm or Microsoft, such as {SWIN}",
    ),
    Unsupported(
        "torchvision ViT",
        "whose names of weights are not read here",
        (r"(^|\.)encoder\.layers\.encoder_layer_0\.",),
    ),
    Unsupported(
        "a ResNet", "which has no tokens", (r"(^|\.)layer1\.0\.conv1\.weight$|embedder\.convolution\.weight$",)
    ),
    Unsupported(
        "a model of transformers",
        "whose parts are not those of its ViT",
        (r"embeddings\.patch_embeddings\.(projection\.)?weight$",),
    ),
)


def check_supported(state: Mapping[str, Tensor]) -> None:
    """Raise where the weights are of a known network that no model here is like.

    Args:
        state: tensors by name, of no format that is read.

    Raises:
        CheckpointError: they are; it says of which, and what can be given instead.
    """
    of_clips = any(value.ndim == 5 for value in state.values())
    for network in NETWORKS:
        is_named = all(any(re.search(pattern, key) for key in state) for pattern in network.patterns)
        if is_named and (of_clips or not network.of_clips):
            raise CheckpointError(
                f"the checkpoint holds the weights of {network.name}, {network.reason}, so that no model here takes "
                f"them; give those of {network.instead}"
            )
