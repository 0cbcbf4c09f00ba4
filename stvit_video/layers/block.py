"""Pre-norm transformer blocks: among tokens, and from tokens to a context."""

import torch
from torch import Tensor, nn

from stvit_video.layers.attention import CrossAttention, SelfAttention
from stvit_video.layers.drop_path import DropPath
from stvit_video.layers.key_spans import KeySpans, attend_in_windows
from stvit_video.layers.mlp import Mlp, hidden_channels
from stvit_video.layers.numbers import number


class LayerScale(nn.Module):
    """A learned gain for every channel of a residual branch.

    Args:
        dim: channels C.
        init_value: the gain at the start.

    Raises:
        ValueError: `init_value` is no finite number.

    Source: Touvron et al. 2021, "Going deeper with Image Transformers", section 2.1; weight name as in timm.
    """

    def __init__(self, dim: int, *, init_value: float) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((dim,), number("layer_scale_init", init_value)))

    def forward(self, x: Tensor) -> Tensor:
        """(..., C) -> (..., C)."""
        return x * self.gamma


def layer_scale(dim: int, init_value: float | None) -> nn.Module:
    """A LayerScale, or the identity where `init_value` is None."""
    return nn.Identity() if init_value is None else LayerScale(dim, init_value=init_value)


class TransformerBlock(nn.Module):
    """Self-attention and MLP, each pre-normed and added to its input.

    Args:
        dim: channels C.
        num_heads: heads A.
        mlp_ratio: hidden channels of the MLP over C.
        qkv_bias: whether the attention projections have a bias.
        drop_path_rate: chance that a sample's branch is dropped while training.
        layer_scale_init: start value of the branches' gains; None = no gains.
        norm_eps: added to the variance by the norms.
        attention: what takes the place of attention among all tokens, such as attention in windows; it gets what the
            block gets, normed.

    Source: Dosovitskiy et al. 2021, section 3.1; weight names as in timm.
    """

    def __init__(
        self,
        dim: int,
        *,
        num_heads: int,
        mlp_ratio: float = 4.0,
        qkv_bias: bool = True,
        drop_path_rate: float = 0.0,
        layer_scale_init: float | None = None,
        norm_eps: float = 1e-6,
        attention: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=norm_eps)
        self.attn = SelfAttention(dim, num_heads=num_heads, qkv_bias=qkv_bias) if attention is None else attention
        self.ls1 = layer_scale(dim, layer_scale_init)
        self.norm2 = nn.LayerNorm(dim, eps=norm_eps)
        self.mlp = Mlp(dim, hidden_dim=hidden_channels(dim, mlp_ratio))
        self.ls2 = layer_scale(dim, layer_scale_init)
        self.drop_path = DropPath(drop_path_rate)

    def forward(self, x: Tensor) -> Tensor:
        """(B, N, C) -> (B, N, C), or (B, *grid, C) -> (B, *grid, C) where `attention` works on a grid."""
        x = x + self.drop_path(self.ls1(self.attn(self.norm1(x))))
        return x + self.drop_path(self.ls2(self.mlp(self.norm2(x))))


class CrossBlock(nn.Module):
    """Attention of queries to a context, then an MLP; queries and context share one LayerNorm.

    Args:
        dim: channels C of queries and context.
        num_heads: heads A.
        mlp_ratio: hidden channels of the MLP over C.
        qkv_bias: whether the attention projections have a bias.
        drop_path_rate: chance that a sample's branch is dropped while training.
        layer_scale_init: start value of the branches' gains; None = no gains.
        attention_shortcut: whether the queries are added to what they attended to. The MLP always has its shortcut.
        norm_eps: added to the variance by the norms.

    Source: STViT (arXiv:2303.08685), section 3.2; docs/develop/design.md, "Generation".
    """

    def __init__(
        self,
        dim: int,
        *,
        num_heads: int,
        mlp_ratio: float = 4.0,
        qkv_bias: bool = True,
        drop_path_rate: float = 0.0,
        layer_scale_init: float | None = None,
        attention_shortcut: bool = True,
        norm_eps: float = 1e-6,
    ) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(dim, eps=norm_eps)
        self.attn = CrossAttention(dim, num_heads=num_heads, qkv_bias=qkv_bias)
        self.ls1 = layer_scale(dim, layer_scale_init)
        self.norm2 = nn.LayerNorm(dim, eps=norm_eps)
        self.mlp = Mlp(dim, hidden_dim=hidden_channels(dim, mlp_ratio))
        self.ls2 = layer_scale(dim, layer_scale_init)
        self.drop_path = DropPath(drop_path_rate)
        self.attention_shortcut = attention_shortcut

    def forward(
        self, queries: Tensor, context: Tensor, spans: KeySpans | None = None, is_projected: bool = False
    ) -> Tensor:
        """Attend and transform.

        Args:
            queries: (B, K, C), or (B, *grid, C) with `spans`.
            context: (B, N, C), or (B, *grid, C) with `spans`.
            spans: which of the context the queries of each window see; None = all see all.
            is_projected: whether `context` is what `project` gave, with 2 * C channels.

        Returns:
            The shape of `queries`.
        """
        attended = self.ls1(self._attend(queries, context, spans, is_projected=is_projected))
        x = queries + self.drop_path(attended) if self.attention_shortcut else attended
        return x + self.drop_path(self.ls2(self.mlp(self.norm2(x))))

    def project(self, context: Tensor) -> Tensor:
        """The keys and values of a context, normed: (B, *sizes, C) -> (B, *sizes, 2 * C)."""
        return self._keys_values(context)

    def _keys_values(self, context: Tensor) -> Tensor:
        return self.attn.kv(self.norm1(context))

    def _attend(self, queries: Tensor, context: Tensor, spans: KeySpans | None, *, is_projected: bool) -> Tensor:
        asking = self.norm1(queries)
        if spans is None:
            return (
                self.attn.attend_projected(asking, context) if is_projected else self.attn(asking, self.norm1(context))
            )
        kv = context if is_projected else self._keys_values(context)
        blank = None if spans.ring is None else self.norm1(queries.new_zeros(1, 1, 1, queries.shape[-1]))
        return attend_in_windows(self.attn, asking, kv, spans, blank=blank)
