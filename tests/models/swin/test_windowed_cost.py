"""What a windowed STViT-R costs, by a formula of its own: keys and values are projected once, nothing is masked."""

import pytest
import torch
from torch import nn

from stvit_video.evaluation.cost.measure import count_gmacs
from stvit_video.models import create_model
from stvit_video.models.swin.windowed import RELEASED_WINDOWS
from stvit_video.tokens.key_frames import clip_tokens

WINDOW, NUM_TOKENS = 7, 3
DEPTHS = (2, 2, 18, 2)
CHANNELS = {"small": 96, "base": 128}


def norm(tokens, channels):
    return 5 * tokens * channels  # as fvcore counts a norm with gains


def mlp(tokens, channels):
    return norm(tokens, channels) + 8 * tokens * channels**2


def window_block(grid, channels):
    tokens = grid[0] * grid[1]
    filled = -(-grid[0] // WINDOW) * -(-grid[1] // WINDOW) * WINDOW**2
    attention = 4 * filled * channels**2 + 2 * filled * WINDOW**2 * channels
    return norm(tokens, channels) + attention + mlp(tokens, channels)


def asking_block(queries, keys, pairs, channels):
    """Attention from some tokens to others, once projected each, then the MLP of the first."""
    projections = (2 * queries + 2 * keys) * channels**2
    return norm(queries + keys, channels) + projections + 2 * pairs * channels + mlp(queries, channels)


def self_block(tokens, pairs, channels):
    return norm(tokens, channels) + 4 * tokens * channels**2 + 2 * pairs * channels + mlp(tokens, channels)


def in_windows(size):
    """Image tokens, and semantic tokens, of every window along an axis: cells of 7 for 3 begin at 0, 2 and 4."""
    image = [min(WINDOW, size - start) for start in range(0, size, WINDOW)]
    return image, [sum(first < there for first in (0, 2, 4)) for there in image]


def pairs_along(size, *, queries, own, keys, key_window):
    """Pairs of queries and keys along an axis: a window sees up to `key_window` keys, its `own` in the middle."""
    pairs = 0
    for i, asked in enumerate(queries):
        start = i * own - (key_window - own) // 2
        pairs += asked * (min(start + key_window, sum(keys)) - max(start, 0))
    return pairs


def unit(grid, channels):
    """A window block, two layers of generation, a local and a global block, recovery."""
    image, semantic = zip(*(in_windows(size) for size in grid), strict=True)
    tokens, few = grid[0] * grid[1], sum(semantic[0]) * sum(semantic[1])

    def pairs(queries, keys, own, key_window):
        along = [
            pairs_along(size, queries=q, own=own, keys=k, key_window=key_window)
            for size, q, k in zip(grid, queries, keys, strict=True)
        ]
        return along[0] * along[1]

    generation = [asking_block(few, tokens, pairs(semantic, image, WINDOW, keys), channels) for keys in (14, 21)]
    in_one_window = [sum(t**2 for t in axis) for axis in semantic]
    among = self_block(few, in_one_window[0] * in_one_window[1], channels) + self_block(few, few**2, channels)
    recovery = asking_block(tokens, few, pairs(image, semantic, NUM_TOKENS, 27), channels)
    return window_block(grid, channels) + sum(generation) + among + recovery


def unit_behind_key_frame(grid, channels):
    """A window block, and recovery from tokens whose keys and values are there."""
    image, semantic = zip(*(in_windows(size) for size in grid), strict=True)
    pairs, tokens = 1, grid[0] * grid[1]
    for size, q, k in zip(grid, image, semantic, strict=True):
        pairs *= pairs_along(size, queries=q, own=NUM_TOKENS, keys=k, key_window=27)
    recovery = norm(tokens, channels) + 2 * tokens * channels**2 + 2 * pairs * channels + mlp(tokens, channels)
    return window_block(grid, channels) + recovery


def come_down(grid, channels):
    """The next level's grid, and what leads there from so many channels."""
    grid = tuple(-(-size // 2) for size in grid)
    merged = grid[0] * grid[1]
    return grid, norm(merged, 4 * channels) + merged * 8 * channels**2


def windowed(height, width, channels, depths=DEPTHS, unit=unit):
    """A windowed STViT-R's: two convolutions and two norms, then window blocks and, in level 3, units."""
    half, grid = (height // 2) * (width // 2), (height // 4, width // 4)
    macs = half * (27 + 2) * channels // 2 + grid[0] * grid[1] * (9 * channels // 2 + 2) * channels
    for level, depth in enumerate(depths):
        if level:
            grid, down = come_down(grid, channels)
            macs, channels = macs + down, 2 * channels
        macs += depth // 6 * unit(grid, channels) if level == 2 else depth * window_block(grid, channels)
        macs += norm(grid[0] * grid[1], channels)
    return macs / 1e9


def dense(height, width, channels, depths=DEPTHS):
    """A Swin's: patches and a norm, then window blocks alone."""
    grid = (height // 4, width // 4)
    macs = grid[0] * grid[1] * 48 * channels + norm(grid[0] * grid[1], channels)
    for level, depth in enumerate(depths):
        if level:
            grid, down = come_down(grid, channels)
            macs, channels = macs + down, 2 * channels
        macs += depth * window_block(grid, channels) + norm(grid[0] * grid[1], channels)
    return macs / 1e9


@pytest.mark.parametrize(("size", "most", "saved"), [("small", 131.0, 0.303), ("base", 226.5, 0.317)])
def test_over_30_percent_fewer_multiply_adds_than_swin_at_800x1280(size, most, saved):
    function = windowed(800, 1280, CHANNELS[size])
    assert function <= most
    assert function <= (1 - saved) * dense(800, 1280, CHANNELS[size])


@pytest.mark.parametrize("pixels", [(256, 416), (224, 448)])
def test_nothing_is_computed_that_the_function_has_not(pixels):
    """Windows that the end cuts, 16x26 tokens in level 3, and windows that divide it, 14x28."""
    sizes = {"embed_dim": 8, "depths": (1, 1, 6, 1), "num_heads": (1, 1, 2, 2)}
    model = create_model("stvit_r_swin_tiny", features_only=True, **sizes, **RELEASED_WINDOWS)
    assert count_gmacs(model, (3, *pixels)) == pytest.approx(windowed(*pixels, 8, sizes["depths"]), rel=1e-6)
    swin = create_model("swin_tiny", features_only=True, **sizes)
    assert count_gmacs(swin, (3, *pixels)) == pytest.approx(dense(*pixels, 8, sizes["depths"]), rel=1e-6)


def shared(pixels, channels, key_every, depths=DEPTHS):
    """Of a frame where each key frame shares its tokens with those behind it."""
    behind = windowed(*pixels, channels, depths, unit=unit_behind_key_frame)
    return (windowed(*pixels, channels, depths) + (key_every - 1) * behind) / key_every


class Clip(nn.Module):
    """A model on clips (1, 3, T, H, W), whose first frame is the key frame."""

    def __init__(self, model):
        super().__init__()
        self.model = model

    def forward(self, clip):
        frames = clip[0].movedim(1, 0)
        return self.model(frames, shared=clip_tokens(len(frames), clip_frames=len(frames)))


@pytest.mark.parametrize(("key_every", "gmacs"), [(1, 122.35), (2, 109.78), (4, 103.49), (8, 100.34)])
def test_frames_that_share_tokens_at_800x1280(key_every, gmacs):
    assert shared((800, 1280), CHANNELS["small"], key_every) == pytest.approx(gmacs, abs=0.006)
    assert dense(800, 1280, CHANNELS["small"]) == pytest.approx(188.22, abs=0.006)


@pytest.mark.parametrize("num_frames", [2, 3])
def test_nothing_is_computed_for_frames_that_share(num_frames):
    sizes, pixels = {"embed_dim": 8, "depths": (1, 1, 6, 1), "num_heads": (1, 1, 2, 2)}, (256, 416)
    model = Clip(create_model("stvit_r_swin_tiny", features_only=True, **sizes, **RELEASED_WINDOWS))
    counted = count_gmacs(model, (3, num_frames, *pixels)) / num_frames
    assert counted == pytest.approx(shared(pixels, 8, num_frames, sizes["depths"]), rel=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(("size", "most"), [("small", 131.0), ("base", 226.5)])
def test_what_is_executed_at_800x1280(size, most):
    model = create_model(f"stvit_r_swin_{size}", features_only=True, **RELEASED_WINDOWS)
    assert count_gmacs(model, (3, 800, 1280)) == pytest.approx(windowed(800, 1280, CHANNELS[size]), rel=1e-6)
    model.load_state_dict(model.state_dict() | {"padding_rule": torch.tensor(1)})  # zeros are keys, so there are more
    assert count_gmacs(model, (3, 800, 1280)) <= most
