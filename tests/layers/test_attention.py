import pytest
import torch
from torch import nn

from stvit_video.layers.attention import (
    CrossAttention,
    SelfAttention,
    attend,
    attend_by_products,
    attention_weights,
    products_are_faster,
    unprojected_is_cheaper,
)


def slow_attention(q, k, v, num_heads):
    """Head by head, query by query."""
    B, K, C = q.shape
    D = C // num_heads
    out = torch.zeros(B, K, C, dtype=q.dtype)
    for b in range(B):
        for a in range(num_heads):
            part = slice(a * D, (a + 1) * D)
            for i in range(K):
                logits = torch.stack([q[b, i, part] @ k[b, j, part] for j in range(k.shape[1])]) / D**0.5
                weights = torch.exp(logits - logits.max())
                out[b, i, part] = (weights / weights.sum()) @ v[b, :, part]
    return out


def test_self_attention_equals_slow_loop():
    layer = SelfAttention(6, num_heads=3)
    x = torch.randn(2, 5, 6)
    q, k, v = layer.qkv(x).chunk(3, dim=-1)
    torch.testing.assert_close(layer(x), layer.proj(slow_attention(q, k, v, 3)))


def test_self_attention_equals_torch():
    reference = nn.MultiheadAttention(6, 2, batch_first=True)
    layer = SelfAttention(6, num_heads=2)
    layer.qkv.weight.data, layer.qkv.bias.data = reference.in_proj_weight.data, reference.in_proj_bias.data
    layer.proj.load_state_dict(reference.out_proj.state_dict())
    x = torch.randn(3, 7, 6)
    torch.testing.assert_close(layer(x), reference(x, x, x)[0])


def test_cross_attention_equals_slow_loop():
    layer = CrossAttention(10, num_heads=5)
    queries, context = torch.randn(2, 3, 10), torch.randn(2, 7, 10)
    k, v = layer.kv(context).chunk(2, dim=-1)
    torch.testing.assert_close(layer(queries, context), layer.proj(slow_attention(layer.q(queries), k, v, 5)))


@pytest.mark.parametrize("qkv_bias", [True, False])
@pytest.mark.parametrize(("num_queries", "unprojected"), [(2, True), (11, False)])
def test_few_queries_attend_without_keys_and_values_to_the_same(num_queries, unprojected, qkv_bias):
    layer = CrossAttention(12, num_heads=3, qkv_bias=qkv_bias).double()
    queries, context = torch.randn(2, num_queries, 12).double(), torch.randn(2, 19, 12).double()
    assert unprojected_is_cheaper(num_queries, 19, dim=12, num_heads=3) == unprojected
    no_bias = torch.zeros(1, 1, num_queries, 19).double()
    outputs = layer(queries, context), layer(queries, context, no_bias)  # a bias always goes by keys and values
    torch.testing.assert_close(*outputs)
    gradients = [torch.autograd.grad(out.square().sum(), [*layer.parameters()]) for out in outputs]
    torch.testing.assert_close(*gradients)


@pytest.mark.parametrize("sizes", [(1, 3), (2, 9), (4, 9), (5, 30), (16, 7)])
def test_the_cheaper_way_is_the_one_with_fewer_multiplications(sizes):
    (K, N), (C, A) = sizes, (12, 3)
    projected = 2 * N * C * C + 2 * K * N * C  # keys and values; logits and means of values
    unprojected = 2 * K * C * C + 2 * A * K * N * C  # queries to the context and back; logits and means of the context
    assert unprojected_is_cheaper(K, N, dim=C, num_heads=A) == (unprojected < projected)


def test_boolean_bias_true_keeps():
    layer = CrossAttention(4, num_heads=2)
    queries, context = torch.randn(2, 3, 4), torch.randn(2, 5, 4)
    keep = torch.tensor([True, True, False, True, False])
    expected = layer(queries, context[:, keep])
    torch.testing.assert_close(layer(queries, context, keep.expand(2, 1, 3, 5)), expected)


def test_attention_weights_sum_to_one_and_explain_the_output():
    layer = CrossAttention(6, num_heads=2)
    queries, context = torch.randn(2, 3, 6), torch.randn(2, 5, 6)
    weights = attention_weights(layer, queries, context)
    assert weights.shape == (2, 2, 3, 5)
    torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, 3))
    values = layer.kv(context).chunk(2, dim=-1)[1].unflatten(-1, (2, 3)).transpose(1, 2)
    torch.testing.assert_close(layer.proj((weights @ values).transpose(1, 2).flatten(2)), layer(queries, context))


@pytest.mark.parametrize("layer", [SelfAttention, CrossAttention])
def test_heads_must_divide_channels(layer):
    with pytest.raises(ValueError, match="num_heads=4 .*6 channels"):
        layer(6, num_heads=4)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float64])
def test_other_types_keep_their_type_and_their_accuracy(dtype):
    q, k, v = (torch.randn(2, 3, n, 5, dtype=dtype) for n in (4, 7, 7))
    bias = torch.randn(2, 3, 4, 7, dtype=dtype)
    exact = torch.softmax(q.double() @ k.double().transpose(-2, -1) / 5**0.5 + bias.double(), -1) @ v.double()
    out = attend(q, k, v, bias)
    assert out.dtype == dtype
    eps = torch.finfo(dtype).eps
    torch.testing.assert_close(out, exact.to(dtype), atol=8 * eps, rtol=2 * eps)


def test_under_autocast_linear_layers_are_reduced_and_attention_is_not():
    layer = SelfAttention(6, num_heads=2)
    x = torch.randn(2, 5, 6)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = layer(x)
    assert out.dtype == torch.bfloat16
    torch.testing.assert_close(out.float(), layer(x), atol=0.02, rtol=0.02)


def test_products_equal_the_slow_loop_over_several_parts_of_queries(monkeypatch):
    monkeypatch.setattr("stvit_video.layers.attention.QUERY_PART", 2)
    q, k, v = (torch.randn(2, n, 9, dtype=torch.double) for n in (5, 7, 7))
    heads = [x.unflatten(-1, (3, 3)).transpose(1, 2) for x in (q, k, v)]
    out = attend_by_products(*heads).transpose(1, 2).flatten(2)
    torch.testing.assert_close(out, slow_attention(q, k, v, 3))


def test_many_bfloat16_tokens_go_by_products_without_gradients():
    q, k = (torch.randn(2, 3, n, 5, dtype=torch.bfloat16) for n in (64, 65))
    exact = torch.softmax(q.double() @ k.double().transpose(-2, -1) / 5**0.5, -1) @ k.double()
    assert not products_are_faster(q, k)
    with torch.no_grad():
        assert products_are_faster(q, k)
        assert not products_are_faster(q[:, :, :62], k)
        assert not products_are_faster(q.float(), k)
        torch.testing.assert_close(attend(q, k, k), attend_by_products(q, k, k), rtol=0, atol=0)
        torch.testing.assert_close(attend(q, k, k).double(), exact, rtol=0.02, atol=0.02)
