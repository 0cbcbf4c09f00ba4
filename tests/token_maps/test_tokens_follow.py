"""Pictures of tokens move with what moves: a small model, before and after it has learned where the shape is."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from stvit_video.data.synthetic.drawing import draw_clip, draw_trajectory
from stvit_video.models import create_model
from stvit_video.token_maps.attribution import occlusions
from stvit_video.token_maps.token_site import token_site

SIDE, NUM_FRAMES, GRID, NUM_STEPS = 32, 8, (4, 8, 8), 200
MOTIONS = ("move_up", "move_down", "move_left", "move_right")
ROOM = 3  # pixels that the centre stays away from the borders, in clips that are looked at


def drawn(seed, number):
    """A clip (T, H, W, 3), and the centre of its shape (T, 2) in pixels, x and y."""
    sizes = {"num_frames": NUM_FRAMES, "height": SIDE, "width": SIDE}
    motion = MOTIONS[number % len(MOTIONS)]
    known = draw_trajectory(motion, rng=np.random.default_rng([seed, number]), **sizes)
    clip = draw_clip(motion, rng=np.random.default_rng([seed, number]), **sizes)
    return clip, np.stack([known.x_pixels, known.y_pixels], axis=1)


def as_input(clips):
    return (torch.from_numpy(np.stack(clips)).permute(0, 4, 1, 2, 3) / 255 - 0.45) / 0.25


def quarters(places):
    """Which quarter of the picture the shape is in, in the middle of the clip; (n, T, 2) -> (n,)."""
    return torch.from_numpy((places[:, NUM_FRAMES // 2] > SIDE / 2) @ np.array([1, 2]))


@pytest.fixture(scope="module")
def looked_at():
    """70 clips whose shape does not leave on one side to come back on the other, and its places."""
    found = [drawn(1, number) for number in range(400)]
    stays = [pair for pair in found if pair[1].min() > ROOM and pair[1].max() < SIDE - ROOM][:70]
    assert len(stays) == 70
    return as_input([clip for clip, _ in stays]), np.stack([place for _, place in stays])


def centre(weights):
    """The weighted centre (T', 2) of a map (T', H', W') in pixels, x and y."""
    cells = (np.arange(GRID[-1]) + 0.5) * SIDE / GRID[-1]
    size = weights.sum((1, 2)).clip(1e-9)
    return np.stack([weights.sum(1) @ cells, weights.sum(2) @ cells], axis=1) / size[:, None]


def movement(places):
    """How far things (n, T, 2) are from their mean place in the clip."""
    return (places - places.mean(1, keepdims=True)).ravel()


def correlations(model, clips, places):
    """With the movement of the shape: that of all sources, of the token that says most; with another clip's shape."""
    site = token_site(model.eval())
    of_all, of_one, labels = [], [], quarters(places)
    for clip, label in zip(clips, labels, strict=True):
        seen = site.see(clip[None])
        sources = site.block.sources(seen.image_tokens)[0].numpy().reshape(-1, *GRID)
        lost = occlusions(site, seen, label=int(label), numbers=np.arange(len(sources)))
        of_all.append(centre(sources.sum(0)))
        of_one.append(centre(sources[np.abs(lost).argmax()]))
    truth = places.reshape(len(places), GRID[0], -1, 2).mean(2)
    pairs = ((of_all, truth), (of_one, truth), (of_all, np.roll(truth, 1, axis=0)))
    return [float(np.corrcoef(movement(np.stack(a)), movement(b))[0, 1]) for a, b in pairs]


def trained_on_quarters(model):
    clips, places = zip(*[drawn(0, number) for number in range(512)], strict=True)
    clips, labels = as_input(clips), quarters(np.stack(places))
    optimizer = torch.optim.AdamW(model.parameters())
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, NUM_STEPS)
    for _ in range(NUM_STEPS):
        batch = torch.randint(len(clips), (32,))
        optimizer.zero_grad()
        F.cross_entropy(model(clips[batch]), labels[batch]).backward()
        optimizer.step()
        schedule.step()
    return model


def test_tokens_follow_the_shape_once_it_counts(looked_at):
    torch.manual_seed(0)
    model = create_model(
        "stvit_video_deit_tiny",
        num_classes=4,
        num_frames=NUM_FRAMES,
        image_size=SIDE,
        patch_size=4,
        embed_dim=32,
        num_heads=2,
        depth=4,
        generate_at=1,
        num_tokens=(1, 4, 4),
    )
    before = correlations(model, *looked_at)
    after = correlations(trained_on_quarters(model.train()), *looked_at)
    for name, values in (("untrained", before), ("trained", after)):
        print(name, "all sources {:.2f}, token that says most {:.2f}, of another clip {:.2f}".format(*values))
    assert after[0] > max(0.55, before[0] + 0.03)
    assert after[1] > before[1] + 0.1  # a token has a cell of a quarter of each side, which it hardly leaves
    assert abs(after[2]) < 0.25
