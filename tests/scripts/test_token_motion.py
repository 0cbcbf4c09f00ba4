"""scripts/token_motion.py: places by a slow loop, its table and file; sources follow a shape, and broken ones don't."""

import csv

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from untrained_run import MODEL, save_untrained

from stvit_video.data.synthetic.dataset import write_synthetic_dataset
from stvit_video.data.synthetic.drawing import CLASSES, Trajectory, draw_known_clip, draw_trajectory
from stvit_video.models import create_model
from stvit_video.token_maps.token_site import token_site

SIDE, NUM_FRAMES, GRID = 32, 8, (4, 8, 8)
OPTIONS = {
    "num_classes": len(CLASSES),
    "num_frames": NUM_FRAMES,
    "image_size": SIDE,
    "patch_size": 4,
    "embed_dim": 32,
    "num_heads": 2,
    "depth": 4,
    "generate_at": 1,
    "num_tokens": (1, 4, 4),
}
PREPROCESSING = {
    "num_frames": NUM_FRAMES,
    "frame_stride": 2,
    "short_side": SIDE,
    "crop_size": SIDE,
    "mean": [0.45, 0.45, 0.45],
    "std": [0.25, 0.25, 0.25],
}


def test_centres_by_a_slow_loop(script):
    weights = np.random.default_rng(0).random((3, 2, 5))
    weights[1] = 0
    found = script.centres(weights, size=(14, 20))  # cells of 7 x 4 pixels
    for step in (0, 2):
        total = weights[step].sum()
        x = sum(weights[step, row, column] / total * (4 * column + 2) for row in range(2) for column in range(5))
        y = sum(weights[step, row, column] / total * (7 * row + 3.5) for row in range(2) for column in range(5))
        assert found[step] == pytest.approx([x, y])
    assert np.isnan(found[1]).all()


def test_motion_of_places_made_of_those_of_the_shape(script):
    rng = np.random.default_rng(0)
    shape = rng.normal(size=(40, 6, 2))
    at_half = 0.5 * shape + rng.normal(size=(40, 1, 2))  # each clip has its own offset, which does not count
    row = script.motion("half", at_half, shape, tokens=16)
    assert (row.tokens, row.with_shape, row.pixels_a_pixel) == pytest.approx((16, 1, 0.5))
    assert abs(row.with_another) < 0.2
    of_others = script.motion("rolled", np.roll(shape, 1, axis=0), shape, tokens=16)
    assert of_others.with_another == pytest.approx(1)
    assert abs(of_others.with_shape) < 0.2
    at_half[3, 2] = np.nan  # nothing is known of this step
    assert script.motion("half", at_half, shape, tokens=16).with_shape > 0.99


@pytest.mark.parametrize(
    ("x", "inside"),
    [((10, 20, 30), True), ((5, 15, 25), False), ((60, 70, 77), False), ((70, 5, 20), False), ((8, 40, 70), False)],
)
def test_shapes_that_stay_inside(script, x, inside):
    """Of a picture of 80 x 48 pixels; the margin is 7.5 pixels across."""
    known = Trajectory(np.array(x, dtype=float), np.full(3, 24.0), np.zeros(3), np.full(3, 9.0))
    assert script.stays_inside(known, height=48, width=80) is inside


@pytest.fixture(scope="module")
def looked_at(script):
    """80 clips whose shape stays inside: input (n, 3, T, H, W), places (n, T', 2), cover (n, T', H', W')."""
    sizes = {"num_frames": NUM_FRAMES, "height": SIDE, "width": SIDE}
    numbers = []
    for number in np.random.default_rng(0).permutation(600).tolist():
        known = draw_trajectory(CLASSES[number % 8], rng=np.random.default_rng([1, number]), **sizes)
        if script.stays_inside(known, height=SIDE, width=SIDE):
            numbers.append(number)
    assert len(numbers) >= 80
    clips = [
        draw_known_clip(CLASSES[number % 8], rng=np.random.default_rng([1, number]), **sizes)  # classes that travel
        for number in numbers[:80]
    ]
    frames = torch.from_numpy(np.stack([clip.frames for clip in clips])).permute(0, 4, 1, 2, 3)
    known = np.stack([(clip.trajectory.x_pixels, clip.trajectory.y_pixels) for clip in clips])  # (n, 2, T)
    cover = F.adaptive_avg_pool3d(torch.from_numpy(np.stack([clip.cover for clip in clips])), GRID)
    return (frames / 255 - 0.45) / 0.25, known.reshape(80, 2, GRID[0], -1).mean(3).swapaxes(1, 2), cover.numpy()


@pytest.mark.parametrize("seed", range(3))
def test_sources_follow_what_stands_out_and_broken_ones_do_not(script, looked_at, seed):
    """With random weights already: tokens are pooled by maxima, and a shape has the strongest edges."""
    clips, places, cover = looked_at
    torch.manual_seed(seed)
    site = token_site(create_model(MODEL, **OPTIONS).eval())
    seen = [site.see(clip[None]) for clip in clips]
    sources = np.stack([site.block.sources(clip.image_tokens)[0].reshape(-1, *GRID).numpy() for clip in seen])

    def rows(sources, cover=cover):
        found = [
            script.places_of_tokens(of_clip, np.ones(len(of_clip)), on, size=(SIDE, SIDE), is_semantic=True)
            for of_clip, on in zip(sources, cover, strict=True)
        ]
        return {what: script.motion(what, np.stack([p[what] for p in found]), places, tokens=16) for what in found[0]}

    row = rows(sources)[script.ALL]
    assert row.with_shape > 0.45
    assert abs(row.with_another) < 0.25
    assert 0.1 < row.pixels_a_pixel < 0.6
    on_shape = (sources.mean(1) * cover).sum((1, 2, 3)) / cover.mean((1, 2, 3))  # 1 = as much as its area says
    assert on_shape.mean() > 1.5
    for broken in (sources.swapaxes(3, 4), np.roll(sources, 1, axis=0), sources[:, :, ::-1], sources[..., ::-1]):
        assert rows(broken)[script.ALL].with_shape < 0.25


def test_the_table_and_the_same_in_the_file(script, tmp_path, capsys):
    root = write_synthetic_dataset(tmp_path / "set", num_train=1, num_val=96, image_size=(SIDE, SIDE))
    checkpoint, out = tmp_path / "last.ckpt", tmp_path / "motion.csv"
    torch.manual_seed(0)
    save_untrained(
        checkpoint,
        create_model(MODEL, **OPTIONS),
        options=OPTIONS,
        classes=CLASSES,
        preprocessing=PREPROCESSING,
        manifest=root / "val.csv",
    )
    words = [f"ckpt_path={checkpoint}", f"data_root={root}", "num_tokens=16,4", "max_clips=5", f"out={out}"]
    assert script.main(words) == 0
    lines = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == [f"{MODEL}, 5 clips"]
    assert tuple(lines[1]) == script.HEADS
    kinds = {script.OCCLUSION, script.COVERING, script.ALL, script.OTHER}
    assert [line[0] for line in lines[3:]] == ["16"] * 4 + ["4"] * 4
    assert {line[1] for line in lines[3:7]} == {line[1] for line in lines[7:]} == kinds
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row, line in zip(rows, lines[3:], strict=True):
        assert [row["tokens"], row["what"]] == line[:2]
        assert [f"{float(row[key]):.2f}" for key in ("with_shape", "with_another", "pixels_a_pixel")] == line[2:]
        assert (row["model"], row["num_clips"]) == (MODEL, "5")
        assert row["hardware"]
    assert script.main([*words[:1], f"data_root={tmp_path}"]) == 2
    assert "no dataset.json" in capsys.readouterr().err
