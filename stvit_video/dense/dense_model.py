"""What detectors and segmenters share: a backbone with maps, the rule of the weights, a description."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import torch
from torch import Tensor, nn

from stvit_video.dense.anchors import Size
from stvit_video.dense.options import HeadOptions
from stvit_video.layers.numbers import whole_number
from stvit_video.tokens.shared_tokens import SharedTokens

if TYPE_CHECKING:
    from typing_extensions import Self

FIRST_STRIDE = 4
RULE = "head_rule_number"  # buffer, the place in the class's `rules`: a state dict keeps the rule of its weights
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.SyncBatchNorm)


class DenseModel(nn.Module):
    """A backbone, and a head on its maps that answers alike in training and in use.

    Args:
        backbone: from pictures (B, 3, H, W) to maps (B, C_i, H_i, W_i) at strides 4, 8, 16, ..., finest first.
        channels: of every map.
        num_classes: classes of objects, or of pixels.
        options: of the head.
        rule: name of one of `rules`.

    Raises:
        ValueError: an unknown rule.
    """

    rules: ClassVar[Mapping[str, Any]] = {}

    def __init__(
        self, backbone: nn.Module, *, channels: Sequence[int], num_classes: int, options: HeadOptions, rule: str
    ) -> None:
        super().__init__()
        self.backbone, self.num_classes = backbone, num_classes
        self.head_rule, self.rule = rule, named_rule(rule, self.rules)
        self.options = options
        self.map_strides = [FIRST_STRIDE * 2**i for i in range(len(channels))]
        self.description: dict[str, Any] | None = None
        self.register_buffer(RULE, torch.tensor(list(self.rules).index(rule)))

    def describe(self) -> dict[str, Any]:
        """Plain values of which `stvit_video.dense.create_dense.build_described` builds this model again.

        Raises:
            ValueError: it was not made by `create_dense`.
        """
        if self.description is None:
            raise ValueError("a head around a module of your own has no description; make it by create_dense(...)")
        return self.description

    def train(self, mode: bool = True) -> "Self":
        """As torch's; with `norm_eval` the batch norms of the backbone stay in eval mode."""
        super().train(mode)
        for module in self.backbone.modules() if self.options.norm_eval else ():
            if isinstance(module, BATCH_NORMS):
                module.eval()
        return self

    def backbone_maps(self, pictures: Tensor, shared: SharedTokens | None = None) -> list[Tensor]:
        """The maps of the backbone, finest first.

        Args:
            pictures: (B, 3, H, W), padded.
            shared: the semantic tokens that frames of a video share; None = each picture has its own.

        Raises:
            ValueError: the backbone has no semantic tokens to share.
        """
        return self.backbone(pictures) if shared is None else self.backbone(pictures, shared=shared)

    def check_key_every(self, key_every: int) -> int:
        """`key_every`, where frames of videos can share semantic tokens.

        Raises:
            ValueError: it is no whole number from 1 on, or above 1 and the backbone has no tokens to share.
        """
        if whole_number("key_every", key_every) > 1 and not getattr(self.backbone, "can_share_tokens", False):
            name = "a backbone of your own" if self.description is None else self.description["backbone"]["name"]
            raise ValueError(
                f"key_every={key_every}: {name} makes no semantic tokens that frames could share; use a stvit_r_ "
                f"model, or leave it at 1"
            )
        return key_every

    def outputs(self, pictures: Tensor, sizes: Sequence[Size], shared: SharedTokens | None = None) -> dict[str, Any]:
        """What the head answers, before anything is chosen: the same in train and eval mode.

        Args:
            pictures: (B, 3, H, W) normalised, padded with zeros right and bottom.
            sizes: height and width of each picture within the padding.
            shared: the semantic tokens that frames of videos share; None = each picture has its own.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what its outputs are")

    def picture_outputs(self, pictures: Tensor) -> dict[str, Tensor]:
        """What is computed of whole pictures, each tensor with a row for every picture: what an exported graph gives.

        Args:
            pictures: (B, 3, H, W) normalised; all of them are as large as the batch.
        """
        raise NotImplementedError(f"{type(self).__name__} does not say what its outputs are")

    def forward(self, pictures: Tensor, sizes: Sequence[Size]) -> dict[str, Any]:
        """As `outputs`."""
        return self.outputs(pictures, sizes)


def named_rule(name: str, rules: Mapping[str, Any]) -> Any:
    """The rule of that name.

    Raises:
        ValueError: no such rule.
    """
    if name not in rules:
        raise ValueError(
            f"head_rule={name!r} is unknown; choose one of {', '.join(rules)}: that which the weights come from, "
            f"and for a new training 'ours'"
        )
    return rules[name]
