import pytest
import torch
from torch import nn
from torch.nn import functional as F

from stvit_video.models.casvit.blocks import (
    AdditiveMixer,
    Downsample,
    MixerBlock,
    Stem,
    depthwise,
    init_convolution,
    on_frames,
    saturate,
)


def randomised(module):
    """In eval mode, with every weight and every running statistic its own."""
    generator = torch.Generator().manual_seed(0)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            noise = torch.randn(tensor.shape, generator=generator)
            tensor.copy_(1 + 0.3 * noise.abs() if name.endswith("running_var") else 0.3 * noise)
    return module.eval()


def normed(x, state, prefix):
    """A batch norm out of training, written out."""
    mean, var, gain, bias = (
        state[f"{prefix}.{name}"][:, None, None] for name in ("running_mean", "running_var", "weight", "bias")
    )
    return (x - mean) / (var + 1e-5).sqrt() * gain + bias


def convolved(x, state, prefix, *, stride=1):
    """A convolution as a sum over its taps, for a kernel of 1x1 or 3x3, depthwise where it has one input."""
    weight, bias = state[f"{prefix}.weight"], state.get(f"{prefix}.bias")
    size = weight.shape[-1]
    rows, columns = ((n - 1) // stride + 1 for n in x.shape[-2:])
    x, out = F.pad(x, (size // 2,) * 4), 0
    for i in range(size):
        for j in range(size):
            part = x[:, :, i : i + stride * rows : stride, j : j + stride * columns : stride][:, :, :rows, :columns]
            if weight.shape[1] == 1 and weight.shape[0] == x.shape[1]:
                out = out + part * weight[:, 0, i, j][:, None, None]
            else:
                out = out + torch.tensordot(part, weight[:, :, i, j], dims=([1], [1])).movedim(-1, 1)
    return out if bias is None else out + bias[:, None, None]


def mixed(x, state, prefix=""):
    """The additive mixer, written out."""
    dim = x.shape[1]
    qkv = convolved(x, state, f"{prefix}qkv")
    gated = {}
    for name, part in (("query", qkv[:, :dim]), ("key", qkv[:, dim : 2 * dim])):
        gates = f"{prefix}{name}_gates"
        maps = normed(convolved(part, state, f"{gates}.spatial.depthwise"), state, f"{gates}.spatial.norm")
        part = part / (1 + torch.exp(-convolved(maps.clamp(min=0), state, f"{gates}.spatial.proj")))
        means = part.flatten(2).mean(2) @ state[f"{gates}.channel.proj.weight"][:, :, 0, 0].T
        gated[name] = part / (1 + torch.exp(-means))[:, :, None, None]
    weights = convolved(gated["query"] + gated["key"], state, f"{prefix}depthwise")
    return convolved(weights * qkv[:, 2 * dim :], state, f"{prefix}proj")


def test_mixer_written_out():
    mixer, x = randomised(AdditiveMixer(6)), torch.randn(2, 6, 5, 7)
    torch.testing.assert_close(mixer(x), mixed(x, mixer.state_dict()), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("grid", [(5, 7), (3, 5, 2)])
def test_block_written_out_frame_by_frame(grid):
    block = randomised(MixerBlock(6, mlp_ratio=1.5))
    x, state = torch.randn(2, *grid, 6), block.state_dict()
    frames = []
    for frame in x.flatten(0, -4):
        maps = frame.movedim(-1, 0)[None]
        inner = normed(convolved(maps, state, "local.conv1"), state, "local.norm")
        maps = maps + convolved(F.gelu(convolved(inner, state, "local.depthwise")), state, "local.conv2")
        maps = maps + mixed(normed(maps, state, "norm1"), state, "mixer.")
        hidden = F.gelu(convolved(normed(maps, state, "norm2"), state, "mlp.fc1"))
        frames.append((maps + convolved(hidden, state, "mlp.fc2"))[0].movedim(0, -1))
    torch.testing.assert_close(block(x), torch.stack(frames).view_as(x), atol=1e-4, rtol=1e-4)
    assert block.mlp.fc1.weight.shape == (9, 6, 1, 1)


def test_stem_and_downsample_written_out():
    stem, downsample = randomised(Stem(3, 10)), randomised(Downsample(10, 7))
    image, state = torch.randn(2, 3, 19, 26), stem.state_dict()
    maps = normed(convolved(image, state, "conv1", stride=2), state, "norm1").clamp(min=0)
    maps = normed(convolved(maps, state, "conv2", stride=2), state, "norm2").clamp(min=0)
    torch.testing.assert_close(stem(image), maps, atol=1e-5, rtol=1e-5)
    assert maps.shape == (2, 10, 5, 7)
    tokens = maps.movedim(1, -1)
    state = downsample.state_dict()
    expected = normed(convolved(maps, state, "proj", stride=2), state, "norm").movedim(1, -1)
    torch.testing.assert_close(downsample(tokens), expected, atol=1e-5, rtol=1e-5)
    clip = torch.stack([tokens, 2 * tokens, -tokens], dim=1)
    torch.testing.assert_close(downsample(clip)[:, 0], expected, atol=1e-5, rtol=1e-5)
    assert downsample(clip).shape == (2, 3, 3, 4, 7)


def test_channels_that_come_last_are_not_copied():
    seen = []
    x = torch.randn(2, 3, 5, 7, 4)
    on_frames(lambda maps: seen.append(maps) or maps, x)
    assert seen[0].shape == (6, 4, 5, 7)
    assert seen[0].data_ptr() == x.data_ptr()
    assert seen[0].is_contiguous(memory_format=torch.channels_last)


def test_whole_clips_are_dropped():
    torch.manual_seed(0)
    block, x = MixerBlock(4, drop_path_rate=0.5).train(), torch.randn(40, 3, 2, 5, 4)
    for module in (block.local.conv2, block.mixer.proj):
        nn.init.zeros_(module.weight)
        nn.init.zeros_(module.bias)
    nn.init.ones_(block.mlp.fc2.bias)
    changed = (block(x) != x).flatten(1)
    assert torch.equal(changed.any(1), changed.all(1))
    assert 10 < changed.all(1).sum() < 30


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_huge_tokens_stay_finite(dtype):
    torch.manual_seed(0)
    blocks = nn.Sequential(*[MixerBlock(16) for _ in range(12)]).apply(init_convolution).eval().to(dtype)
    with torch.no_grad():
        assert blocks(1e3 * torch.randn(2, 3, 5, 16, dtype=torch.float32).to(dtype)).isfinite().all()


def test_saturation_leaves_ordinary_values_alone():
    values = torch.tensor([-float("inf"), -3e30, -1e3, 0.5, 4e3, 6e4, float("inf")])
    assert saturate(values).tolist() == [-(2.0**50), -(2.0**50), -1e3, 0.5, 4e3, 6e4, 2.0**50]
    assert saturate(values.half()).tolist() == [-4096.0, -4096.0, -1e3, 0.5, 4e3, 4096.0, 4096.0]


def test_nothing_is_saturated_in_training():
    mixer = AdditiveMixer(4).train()
    x = torch.full((2, 4, 3, 5), 1e12)
    assert mixer(x).abs().max() > 2.0**60
    assert mixer.eval()(x).abs().max() < 2.0**54


def test_convolutions_start_as_torchs_do():
    torch.manual_seed(0)
    module = depthwise(256)
    module.apply(init_convolution)
    assert 0.9 / 3 < module.weight.abs().max() <= 1 / 3  # one over the root of the 9 inputs of an output
    linear = nn.Linear(30, 50)
    init_convolution(linear)
    assert 0.95 * (6 / 80) ** 0.5 < linear.weight.abs().max() <= (6 / 80) ** 0.5


def test_fresh_blocks_keep_magnitudes_without_batches():
    torch.manual_seed(0)
    blocks = nn.Sequential(*[MixerBlock(48) for _ in range(12)]).apply(init_convolution).eval()
    x = torch.randn(2, 7, 8, 48)
    with torch.no_grad():
        together, alone = blocks(x), torch.cat([blocks(x[:1]), blocks(x[1:])])
    assert together.abs().max() < 10 * x.abs().max()
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mlp_ratio", [0, "4x"])
def test_mlp_without_channels(mlp_ratio):
    with pytest.raises(ValueError, match=f"mlp_ratio={mlp_ratio!r} .*(4 channels.* 0;|finite number)"):
        MixerBlock(4, mlp_ratio=mlp_ratio)
