"""Example clips for visitors without one: a few of the embedded data set, drawn when the demo starts."""

from pathlib import Path

import numpy as np

from stvit_video.data.synthetic.dataset import encode_video
from stvit_video.data.synthetic.drawing import draw_clip
from stvit_video.webdemo.clip_store import ClipStore

__all__ = ["EXAMPLE_CLASSES", "draw_examples"]

EXAMPLE_CLASSES = ("move_right", "move_up_left", "oscillate_vertical", "rotate", "pulse")
SIDE_PIXELS, NUM_FRAMES, FPS = 64, 16, 12


def draw_examples(store: ClipStore, *, seed: int = 21) -> list[tuple[str, str, Path]]:
    """Draw them into the folder of the store, a few kilobytes each.

    Args:
        store: keeps them to the end.
        seed: of the object and the background of each.

    Returns:
        Class, token and file of each.

    Raises:
        MissingLibraryError: PyAV is not installed.
        OSError: there is no room.
    """
    drawn = []
    for number, name in enumerate(EXAMPLE_CLASSES):
        rng = np.random.default_rng([seed, number])
        frames = draw_clip(name, rng=rng, num_frames=NUM_FRAMES, height=SIDE_PIXELS, width=SIDE_PIXELS)
        path = store.folder.parent / f"{name}.mp4"
        encode_video(path, frames, fps=FPS)
        token = f"example-{number}"
        store.keep(token, path)
        drawn.append((name, token, path))
    return drawn
