"""Tokens of videos that no model has seen: a disc that moves over a ramp, and assignments of which all is known."""

import numpy as np

from stvit_video.visualization.token_record import ClipTokens, VideoTokens

GRID_PIXELS = 8  # a side of the square of an image token
NUM_FRAMES, FPS = 6, 8.0
CLASSES = ("left", "right", "up", "down")


def made_clip(
    *,
    num_tokens: int,
    start_seconds: float = 0.0,
    num_frames: int = NUM_FRAMES,
    grid: tuple[int, int, int] = (3, 4, 4),
    margin: tuple[int, int] = (0, 8),
    softness: float = 0.0,
    seed: int = 0,
) -> ClipTokens:
    """A clip whose token 1 covers the disc, while the others share the ground in vertical stripes.

    Args:
        num_tokens: K, 2 at least.
        start_seconds: when its first frame is shown.
        num_frames: T, a multiple of T'.
        grid: T', H', W' of the image tokens, each 8 x 8 pixels.
        margin: pixels of a frame above and below, and left and right, of what the model sees.
        softness: 0 = each image token belongs to one token; 1 = to all alike.
        seed: of contributions and occlusions, which agree but for some noise.
    """
    rng = np.random.default_rng(seed)
    steps, rows, columns = grid
    height, width = rows * GRID_PIXELS + 2 * margin[0], columns * GRID_PIXELS + 2 * margin[1]
    places = np.stack(np.meshgrid(np.arange(rows), np.arange(columns), indexing="ij"), axis=-1)  # (H', W', 2)
    others = np.array([token for token in range(num_tokens) if token != 1])
    owners = np.empty(grid, dtype=int)
    for step in range(steps):
        centre = np.array([(rows - 1) / 2, (columns - 1) * step / max(steps - 1, 1)])
        is_disc = np.linalg.norm(places - centre, axis=-1) <= 0.8
        owners[step] = np.where(is_disc, 1, others[places[..., 1] * len(others) // columns])
    shares = (1 - softness) * np.eye(num_tokens)[owners] + softness / num_tokens  # (T', H', W', K)
    sources = np.moveaxis(shares, -1, 0)  # (K, T', H', W')
    sums = sources.sum(axis=(1, 2, 3), keepdims=True)
    sources = np.divide(sources, sums, out=np.full_like(sources, 1 / owners.size), where=sums > 0)
    frames = np.empty((num_frames, height, width, 3), dtype=np.uint8)
    for frame in range(num_frames):
        frames[frame] = np.linspace(40, 160, width)[None, :, None]
        is_disc = owners[frame * steps // num_frames] == 1
        pixels = np.kron(is_disc, np.ones((GRID_PIXELS, GRID_PIXELS), dtype=bool))
        seen = frames[frame, margin[0] : height - margin[0], margin[1] : width - margin[1]]
        seen[pixels] = (240, 230, 200)
    contributions = rng.normal(size=num_tokens)
    contributions[1] = 3.0
    logits = rng.normal(size=len(CLASSES))
    return ClipTokens(
        frames=frames,
        seconds=start_seconds + np.arange(num_frames) / FPS,
        seen=(margin[0], margin[1], height - margin[0], width - margin[1]),
        sources=sources.astype(np.float32),
        contributions=contributions,
        occlusions=contributions + 0.2 * rng.normal(size=num_tokens),
        logits=logits,
        probabilities=np.exp(logits) / np.exp(logits).sum(),
    )


def made_video(
    *clips: ClipTokens,
    classes: tuple[str, ...] = CLASSES,
    label: int = 1,
    is_semantic: bool = True,
    is_picture: bool = False,
) -> VideoTokens:
    """A video of these clips.

    Args:
        clips: one or more, in the order of time.
        classes: label names, as many as the clips have logits.
        label: that contributions are of.
        is_semantic: False = of a dense model.
        is_picture: its only clip is one frame, without a time.
    """
    return VideoTokens(
        name="disc.mp4",
        clips=clips,
        classes=classes,
        label=label,
        probabilities=np.mean([clip.probabilities for clip in clips], axis=0),
        multi_label=False,
        is_semantic=is_semantic,
        where="generated after 2 of 6 blocks" if is_semantic else "patch tokens after 6 of 6 blocks",
        left_out="removed from the sequence",
        token_grid=(1, 1, len(clips[0].sources)),
        fps=FPS,
        seconds=float("nan") if is_picture else float(clips[-1].seconds[-1]) + 1 / FPS,
        protocol="3 clips x 1 crop",
        model_name="stvit_video_deit_tiny",
        cost={"GMACs a clip": 0.144},
    )


def three_clips(*, num_tokens: int, softness: float = 0.0, gap_seconds: float = 2.0) -> VideoTokens:
    """A video of three clips with times between them that the model does not see.

    Args:
        num_tokens: K.
        softness: see `made_clip`.
        gap_seconds: from the end of a clip to the beginning of the next.
    """
    step = NUM_FRAMES / FPS + gap_seconds
    return made_video(
        *(
            made_clip(num_tokens=num_tokens, start_seconds=place * step, softness=softness, seed=place)
            for place in range(3)
        )
    )
