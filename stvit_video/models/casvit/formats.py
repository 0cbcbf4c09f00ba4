"""How the authors name the weights of a CAS-ViT, and their names in ours."""

import re
from collections.abc import Mapping

from torch import Tensor

from stvit_video.models.checkpoints.format import Format

STEM = {"0": "conv1", "1": "norm1", "3": "conv2", "4": "norm2"}
LOCAL = {"0": "conv1", "1": "norm", "2": "depthwise", "4": "conv2"}
GATES = {"q": "query_gates", "k": "key_gates"}
GATE = {"0.block.0": "spatial.depthwise", "0.block.1": "spatial.norm", "0.block.3": "spatial.proj"}
GATE |= {"1.block.1": "channel.proj"}
MIXER = {"qkv": "qkv", "dwc": "depthwise", "proj": "proj"}


def is_casvit(state: Mapping[str, Tensor]) -> bool:
    """Whether a state dict is of the authors' CAS-ViT, classifier or backbone."""
    gates = any(re.match(r"network\.\d+\.\d+\.attn\.oper_q\.0\.block\.", key) for key in state)
    return gates and "patch_embed.0.weight" in state


def is_casvit_pyramid(state: Mapping[str, Tensor]) -> bool:
    """Whether a state dict is of the authors' CAS-ViT with a norm for every level."""
    return is_casvit(state) and "norm0.weight" in state


def casvit_names(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The authors' CAS-ViT with our names; keys that are not theirs stay as they are.

    Levels have the even places of `network`, what comes down to the next one the odd places between.
    """
    return {_renamed(key): value for key, value in state.items()}


def _renamed(key: str) -> str:
    if match := re.fullmatch(r"patch_embed\.([0134])\.(\w+)", key):
        return f"stem.{STEM[match[1]]}.{match[2]}"
    if match := re.fullmatch(r"norm(\d*[02468])\.(\w+)", key):
        return f"norms.{int(match[1]) // 2}.{match[2]}"
    if match := re.fullmatch(r"network\.(\d*[13579])\.((?:proj|norm)\.\w+)", key):
        return f"levels.{int(match[1]) // 2 + 1}.downsample.{match[2]}"
    if match := re.fullmatch(r"network\.(\d*[02468])\.(\d+)\.(.+)", key):
        part = _renamed_in_block(match[3])
        return key if part is None else f"levels.{int(match[1]) // 2}.blocks.{match[2]}.{part}"
    return key


def _renamed_in_block(key: str) -> str | None:
    """Our name of a part of a block; None where it is no part of theirs."""
    if re.fullmatch(r"(norm[12]|mlp\.fc[12])\.\w+", key):
        return key
    if match := re.fullmatch(r"local_perception\.network\.([0124])\.(\w+)", key):
        return f"local.{LOCAL[match[1]]}.{match[2]}"
    if match := re.fullmatch(r"attn\.(qkv|dwc|proj)\.(\w+)", key):
        return f"mixer.{MIXER[match[1]]}.{match[2]}"
    if (match := re.fullmatch(r"attn\.oper_([qk])\.(\d\.block\.\d)\.(\w+)", key)) and match[2] in GATE:
        return f"mixer.{GATES[match[1]]}.{GATE[match[2]]}.{match[3]}"
    return None


FORMATS: tuple[Format, ...] = (
    Format("CAS-ViT, with a norm for every level", matches=is_casvit_pyramid, convert=casvit_names),
    Format("CAS-ViT", matches=lambda state: is_casvit(state) and not is_casvit_pyramid(state), convert=casvit_names),
)
