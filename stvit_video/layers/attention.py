"""Multi-head attention among tokens and from tokens to other tokens, on one fused path."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from stvit_video.layers.batch_parts import in_parts

PRODUCT_LOGITS = 4096  # of a head; with fewer, two products and a softmax cost more than one kernel
QUERY_PART = 128  # queries at a time, whose logits stay in the cache


def check_head_split(dim: int, num_heads: int) -> None:
    """Raise unless `dim` channels split evenly into `num_heads` heads.

    Raises:
        ValueError: `num_heads` is below 1 or does not divide `dim`.
    """
    if num_heads < 1 or dim % num_heads:
        raise ValueError(
            f"num_heads={num_heads} does not divide the {dim} channels; "
            f"choose num_heads so that embed_dim is a multiple of it"
        )


def split_heads(x: Tensor, num_heads: int) -> Tensor:
    """(B, N, C) -> (B, A, N, D), D = C / A."""
    return x.unflatten(-1, (num_heads, -1)).transpose(1, 2)


def merge_heads(x: Tensor) -> Tensor:
    """(B, A, N, D) -> (B, N, C), C = A * D."""
    return x.transpose(1, 2).flatten(2)


def attend(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
    """Softmax attention by torch's fused kernel, or on a CPU by what is faster than its kernel for half precision.

    With gradients the kernel is run in float32 on CPUs also where autocast asks for less: on 64 tokens of 4 heads of 32
    channels it took 99 ms in bfloat16, forward and backward, and 36 ms in float32. Without gradients, many bfloat16
    tokens go by `attend_by_products`.

    Args:
        q: (B, A, N, D).
        k: (B, A, M, D).
        v: (B, A, M, D).
        bias: added to the attention logits, broadcastable to (B, A, N, M); or boolean, True = keep.

    Returns:
        (B, A, N, D), of q's type.
    """
    if q.device.type != "cpu" or q.dtype not in (torch.bfloat16, torch.float16):
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    bias = bias.float() if bias is not None and bias.is_floating_point() else bias
    with torch.autocast("cpu", enabled=False):
        if bias is None and products_are_faster(q, k):
            return attend_by_products(q, k, v)
        return F.scaled_dot_product_attention(q.float(), k.float(), v.float(), attn_mask=bias).to(q.dtype)


def products_are_faster(q: Tensor, k: Tensor) -> bool:
    """Whether `attend_by_products` beats the fused kernel on a CPU: (B, A, N, D) to (B, A, M, D), many and bfloat16."""
    inference = not torch.is_grad_enabled() and not torch.compiler.is_compiling()
    return inference and q.dtype == torch.bfloat16 and q.shape[2] * k.shape[2] >= PRODUCT_LOGITS


def attend_by_products(q: Tensor, k: Tensor, v: Tensor) -> Tensor:
    """Softmax attention by two matrix products in the type of its inputs, some queries at a time.

    The kernel's products are in float32, which takes twice as long as in bfloat16. Logits and weights are rounded to
    that type: the output's error is 4e-3 of its size, that of the kernel 2e-3.

    Args:
        q: (B, A, N, D).
        k: (B, A, M, D).
        v: (B, A, M, D).

    Returns:
        (B, A, N, D).
    """
    keys, v = k.contiguous().transpose(-2, -1), v.contiguous()  # (B, A, D, M), (B, A, M, D)
    parts = (q * q.shape[-1] ** -0.5).split(QUERY_PART, dim=2)
    return torch.cat([torch.softmax(part @ keys, dim=-1) @ v for part in parts], dim=2)


def unprojected_is_cheaper(num_queries: int, num_keys: int, *, dim: int, num_heads: int) -> bool:
    """Whether `attend_unprojected` takes fewer multiplications than projecting keys and values and attending to them.

    Args:
        num_queries: K.
        num_keys: N.
        dim: channels C.
        num_heads: heads A.
    """
    projected = dim * num_keys + num_queries * num_keys  # both in units of 2 * C multiplications
    return num_heads * num_queries * num_keys + dim * num_queries < projected


def attend_unprojected(q: Tensor, context: Tensor, key_weight: Tensor, value_weight: Tensor) -> Tensor:
    """Softmax attention to a context whose keys and values are never formed: the queries are projected instead.

    The logits q (W_k x) are (q W_k) x, and the output, a mean of W_v x, is W_v times a mean of x. With few queries that
    is far less work. A bias of the keys would shift all logits of a query alike, which the softmax undoes; a bias of
    the values passes through, since the weights sum to 1: the caller adds it.

    Args:
        q: (B, A, K, D).
        context: (B, N, C).
        key_weight: (A, D, C).
        value_weight: (A, D, C).

    Returns:
        (B, A, K, D).
    """
    asked = (q * q.shape[-1] ** -0.5 @ key_weight).flatten(1, 2)  # (B, A * K, C)
    weights = torch.softmax(asked @ context.transpose(1, 2), dim=-1)  # (B, A * K, N)
    gathered = (weights @ context).unflatten(1, q.shape[1:3])  # (B, A, K, C)
    return gathered @ value_weight.transpose(1, 2)


def self_attend(x: Tensor, qkv: nn.Linear, proj: nn.Linear, *, num_heads: int, bias: Tensor | None = None) -> Tensor:
    """Softmax attention of every token to every token of the same set.

    Args:
        x: (B, N, C).
        qkv: C -> 3 * C, queries, keys and values.
        proj: C -> C, of what the heads have gathered.
        num_heads: heads A.
        bias: see `attend`.

    Returns:
        (B, N, C).
    """
    q, k, v = (split_heads(part, num_heads) for part in qkv(x).chunk(3, dim=-1))
    return proj(merge_heads(attend(q, k, v, bias)))


class SelfAttention(nn.Module):
    """Softmax attention of every token to every token of the same set.

    Args:
        dim: channels C.
        num_heads: heads A; must divide `dim`.
        qkv_bias: whether the query, key and value projections have a bias.

    Raises:
        ValueError: `num_heads` does not divide `dim`.

    Source: Vaswani et al. 2017, section 3.2; weight names as in timm's VisionTransformer.
    """

    def __init__(self, dim: int, *, num_heads: int, qkv_bias: bool = True) -> None:
        super().__init__()
        check_head_split(dim, num_heads)
        self.num_heads = num_heads
        self.qkv = nn.Linear(dim, 3 * dim, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        """Attend.

        Args:
            x: (B, N, C).
            bias: added to the attention logits, broadcastable to (B, A, N, N); or boolean, True = keep.

        Returns:
            (B, N, C).
        """
        if bias is not None:
            return self._attend(x, bias)
        return in_parts(self._attend, x, width=self.qkv.out_features)

    def _attend(self, x: Tensor, bias: Tensor | None = None) -> Tensor:
        return self_attend(x, self.qkv, self.proj, num_heads=self.num_heads, bias=bias)


class CrossAttention(nn.Module):
    """Softmax attention of query tokens to context tokens.

    Args:
        dim: channels C of queries and context.
        num_heads: heads A; must divide `dim`.
        qkv_bias: whether the query, key and value projections have a bias.

    Raises:
        ValueError: `num_heads` does not divide `dim`.

    Source: Vaswani et al. 2017, section 3.2.3 (encoder-decoder attention).
    """

    def __init__(self, dim: int, *, num_heads: int, qkv_bias: bool = True) -> None:
        super().__init__()
        check_head_split(dim, num_heads)
        self.num_heads = num_heads
        self.q = nn.Linear(dim, dim, bias=qkv_bias)
        self.kv = nn.Linear(dim, 2 * dim, bias=qkv_bias)
        self.proj = nn.Linear(dim, dim)

    def forward(self, queries: Tensor, context: Tensor, bias: Tensor | None = None) -> Tensor:
        """Attend.

        Args:
            queries: (B, K, C).
            context: (B, N, C).
            bias: added to the attention logits, broadcastable to (B, A, K, N); or boolean, True = keep.

        Returns:
            (B, K, C).
        """
        if bias is None and self._unprojected_is_cheaper(queries, context):
            return self.proj(self._attend_unprojected(split_heads(self.q(queries), self.num_heads), context))
        return self.attend_projected(queries, self.kv(context), bias)

    def attend_projected(self, queries: Tensor, kv: Tensor, bias: Tensor | None = None) -> Tensor:
        """Attend to a context whose keys and values are there already.

        Args:
            queries: (B, K, C).
            kv: (B, N, 2 * C), what `self.kv` gives of the context.
            bias: as of `forward`.

        Returns:
            (B, K, C).
        """
        q = split_heads(self.q(queries), self.num_heads)
        k, v = (split_heads(part, self.num_heads) for part in kv.chunk(2, dim=-1))
        return self.proj(merge_heads(attend(q, k, v, bias)))

    def _unprojected_is_cheaper(self, queries: Tensor, context: Tensor) -> bool:
        num_queries, num_keys, dim = queries.shape[1], *context.shape[1:]
        return unprojected_is_cheaper(num_queries, num_keys, dim=dim, num_heads=self.num_heads)

    def _attend_unprojected(self, q: Tensor, context: Tensor) -> Tensor:
        """q (B, A, K, D), context (B, N, C) -> (B, K, C)."""
        key_weight, value_weight = self.kv.weight.unflatten(0, (2, self.num_heads, -1))  # each (A, D, C)
        out = merge_heads(attend_unprojected(q, context, key_weight, value_weight))
        return out if self.kv.bias is None else out + self.kv.bias.chunk(2)[1]


def attention_weights(attention: CrossAttention, queries: Tensor, context: Tensor) -> Tensor:
    """The softmax weights that `attention` gives each context token, for pictures and metrics.

    Args:
        attention: the layer whose projections are used.
        queries: (B, K, C).
        context: (B, N, C).

    Returns:
        (B, A, K, N), rows sum to 1.
    """
    q = split_heads(attention.q(queries), attention.num_heads)
    k = split_heads(attention.kv(context).chunk(2, dim=-1)[0], attention.num_heads)
    return torch.softmax(q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5, dim=-1)
